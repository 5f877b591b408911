"""Tensors, requests and responses as the Open Inference Protocol (V2) has them, numpy underneath.

Sources: the datatypes are those of the protocol's "Tensor Data Types" and of its binary tensor extension,
https://github.com/kserve/open-inference-protocol and
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Parameters = dict[str, Any]

# Little-endian, as it travels. BF16 has no numpy type: its array holds the values as float32, each of them exactly
# representable in BF16 when it came from the wire. BYTES is an object array of bytes.
NUMPY_TYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "BF16": np.dtype("<f4"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
_DATATYPES: Final[Mapping[np.dtype[Any], str]] = {
    dtype: datatype for datatype, dtype in NUMPY_TYPES.items() if datatype != "BF16"
}


def datatype_of(array: Array) -> str:
    """Return the datatype that an array travels as; text and bytes of any width are BYTES.

    Raises TypeError for an array that the protocol has no datatype for, such as complex numbers or dates.
    """
    if array.dtype.kind in "OSU":
        return "BYTES"
    datatype = _DATATYPES.get(array.dtype.newbyteorder("<"))
    if datatype is None:
        raise TypeError(
            f"a numpy array of {array.dtype} has no V2 datatype; convert it to one of {', '.join(NUMPY_TYPES)}"
        )
    return datatype


@dataclass(slots=True)
class Tensor:
    """One named tensor: ``data`` is an array of exactly ``shape``, of the numpy type of ``datatype``.

    What came in the binary form is a read-only view of the request's body: copy it before writing into it.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Array
    parameters: Parameters = field(default_factory=dict)


@dataclass(slots=True)
class RequestedOutput:
    """An output that the caller asked for by name; ``binary_data`` in its parameters asks for the binary form."""

    name: str
    parameters: Parameters = field(default_factory=dict)


@dataclass(slots=True)
class InferenceRequest:
    """One inference request; ``model_name`` and ``headers`` come from the transport. Empty ``outputs`` means all."""

    model_name: str
    inputs: list[Tensor]
    id: str | None = None
    parameters: Parameters = field(default_factory=dict)
    outputs: list[RequestedOutput] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class InferenceResponse:
    """One answer; ``headers`` are those that the model wants sent back."""

    model_name: str
    outputs: list[Tensor]
    id: str | None = None
    model_version: str | None = None
    parameters: Parameters = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
