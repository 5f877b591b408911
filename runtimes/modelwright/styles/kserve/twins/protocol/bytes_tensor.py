"""BYTES tensors as the binary extension carries them: each element after its length, four bytes little-endian."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.errors import InferenceError

_LENGTH = struct.Struct("<I")


def serialize_byte_tensor(input_tensor: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a 0-d object array holding the serialized bytes, an empty one for an empty tensor.

    Raises InferenceError for an array that holds neither objects nor bytes.
    """
    if input_tensor.size == 0:
        return np.empty([0], dtype=np.object_)
    if input_tensor.dtype.kind not in "OS":
        raise InferenceError("cannot serialize bytes tensor: invalid datatype")
    return np.asarray(b"".join(_element(item) for item in input_tensor.ravel().tolist()), dtype=np.object_)


def _element(item: Foreign) -> bytes:
    data = item if isinstance(item, bytes) else str(item).encode("utf-8")
    return _LENGTH.pack(len(data)) + data


def deserialize_bytes_tensor(encoded_tensor: bytes) -> np.ndarray[Any, Any]:
    """Return a flat object array of bytes; raises struct.error where the lengths do not add up."""
    elements = []
    offset = 0
    while offset < len(encoded_tensor):
        (length,) = _LENGTH.unpack_from(encoded_tensor, offset)
        offset += _LENGTH.size
        (element,) = struct.unpack_from(f"<{length}s", encoded_tensor, offset)
        elements.append(element)
        offset += length
    flat = np.empty(len(elements), dtype=np.object_)
    flat[:] = elements
    return flat
