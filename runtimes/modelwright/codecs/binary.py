"""The raw form of tensors: little-endian elements in row-major order, as the binary extension and gRPC's raw contents.

BYTES elements each follow their length, 4 bytes little-endian. Source: "Binary Tensor Data Extension",
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
"""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np

from modelwright.codecs.bfloat import from_bfloat, to_bfloat
from modelwright.codecs.shapes import check_count
from modelwright.errors import InvalidInput
from modelwright.tensors import NUMPY_TYPES, Array

_PREFIX: Final = 4


def read_raw(where: str, datatype: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Array:
    """Return the tensor that `raw` holds: a read-only view of it, but for BYTES and BF16, which have to be copied.

    Raises InvalidInput unless `raw` is exactly as long as datatype and shape say, and every BOOL is 0 or 1.
    """
    if datatype == "BYTES":
        return _read_strings(where, shape, raw)
    wire = np.dtype("<u2") if datatype == "BF16" else NUMPY_TYPES[datatype]
    expected = prod(shape) * wire.itemsize
    if len(raw) != expected:
        text = ", ".join(map(str, shape))
        raise InvalidInput(f"{where}: {datatype} of shape [{text}] is {expected} bytes, but there are {len(raw)}")
    array = np.frombuffer(raw, wire).reshape(shape)
    if datatype == "BF16":
        return from_bfloat(array)
    if datatype == "BOOL" and array.size and array.view(np.uint8).max() > 1:
        raise InvalidInput(f"{where}: a BOOL is one byte, 0 or 1, but there is a byte {array.view(np.uint8).max()}")
    array.flags.writeable = False
    return array


def write_raw(datatype: str, array: Array) -> bytes | memoryview:
    """Return an array of a `Tensor` in its raw form: without a copy where it lies in memory as it travels."""
    if datatype == "BYTES":
        return b"".join(_prefixed(item) for item in array.reshape(-1).tolist())
    if datatype == "BF16":
        flat = to_bfloat(array.reshape(-1))
    else:
        flat = np.ascontiguousarray(array, NUMPY_TYPES[datatype]).reshape(-1)
    return flat.view(np.uint8).data


def _prefixed(item: bytes | str) -> bytes:
    data = item.encode() if isinstance(item, str) else bytes(item)
    return len(data).to_bytes(_PREFIX, "little") + data


def _read_strings(where: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Array:
    view, end, offset = memoryview(raw), len(raw), 0
    expected = prod(shape)
    items: list[bytes] = []
    while offset < end:
        start = offset + _PREFIX
        if start > end:
            raise InvalidInput(
                f"{where}: element {len(items)} has {end - offset} bytes where its 4-byte length was due"
            )
        offset = start + int.from_bytes(view[start - _PREFIX : start], "little")
        if offset > end:
            raise InvalidInput(
                f"{where}: element {len(items)} says {offset - start} bytes, but only {end - start} are left"
            )
        items.append(bytes(view[start:offset]))
    check_count(where, shape, len(items))
    array = np.empty(expected, object)
    array[:] = items
    return array.reshape(shape)
