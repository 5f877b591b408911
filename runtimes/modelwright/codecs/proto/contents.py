"""Typed tensor contents: `InferTensorContents` to arrays and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from modelwright.codecs.proto import wire
from modelwright.codecs.proto.open_inference_grpc_pb2 import InferTensorContents
from modelwright.codecs.shapes import check_count
from modelwright.errors import InvalidInput
from modelwright.tensors import NUMPY_TYPES, Array

# The field that holds each datatype's elements, from the specification's "Tensor Data". FP16 and BF16 have none.
FIELDS: Final[Mapping[str, str]] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
# Packed, these fields' bytes are the array's own.
_AS_THEY_LIE: Final = frozenset({"BOOL", "FP32", "FP64"})
# Up to so many elements, going through Python numbers costs less than setting a buffer up.
_FEW: Final = 64
# What the field holds, where that is wider than the datatype.
_WIDER: Final[Mapping[str, Any]] = {
    "INT8": np.int32,
    "INT16": np.int32,
    "UINT8": np.uint32,
    "UINT16": np.uint32,
}


def decode(where: str, datatype: str, shape: tuple[int, ...], contents: InferTensorContents) -> Array:
    """Return the array that `contents` hold; `where` names the tensor. Raises InvalidInput when they do not fit."""
    field = FIELDS.get(datatype)
    if field is None:
        raise InvalidInput(f"{where}: {datatype} has no typed contents in the protocol; send it in raw_input_contents")
    for descriptor, _ in contents.ListFields():
        if descriptor.name != field:
            raise InvalidInput(f"{where}: {datatype} belongs in {field}, not in {descriptor.name}")
    values = getattr(contents, field)
    check_count(where, shape, len(values))
    return _array(where, datatype, contents, values).reshape(shape)


def _array(where: str, datatype: str, contents: InferTensorContents, values: Sequence[Any]) -> Array:
    dtype = NUMPY_TYPES[datatype]
    if datatype == "BYTES":
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        return array
    if datatype in _AS_THEY_LIE and len(values) > _FEW:
        packed = _packed(contents, FIELDS[datatype], len(values) * dtype.itemsize)
        if packed is not None:
            # A copy, so that a model may write into it as into any typed input.
            return np.frombuffer(packed, dtype=dtype).copy()
    array = np.fromiter(values, dtype=_WIDER.get(datatype, dtype), count=len(values))
    return array if array.dtype == dtype else _narrow(where, datatype, array)


def _packed(contents: InferTensorContents, field: str, size: int) -> memoryview | None:
    """Return the bytes of the only field set, as protobuf packs them; None when it does not lay them out so."""
    number = InferTensorContents.DESCRIPTOR.fields_by_name[field].number
    serialized = contents.SerializeToString()
    expected = wire.header(number, size)
    if not serialized.startswith(expected):
        return None
    return memoryview(serialized)[len(expected) : len(expected) + size]


def _narrow(where: str, datatype: str, array: Array) -> Array:
    dtype = NUMPY_TYPES[datatype]
    limits = np.iinfo(dtype)
    outside = (array < limits.min) | (array > limits.max)
    if outside.any():
        raise InvalidInput(f"{where}: {array[outside][0]} does not fit {datatype} ({limits.min} to {limits.max})")
    return array.astype(dtype)


def encode(array: Array, datatype: str, contents: InferTensorContents) -> None:
    """Put an array's elements into empty `contents`. Raises KeyError for FP16 and BF16, which only travel raw."""
    field = FIELDS[datatype]
    if datatype == "BYTES":
        contents.bytes_contents.extend(_bytes(element) for element in array.ravel())
    elif datatype in _AS_THEY_LIE and array.size > _FEW:
        lying = np.ascontiguousarray(array, dtype=NUMPY_TYPES[datatype])
        number = InferTensorContents.DESCRIPTOR.fields_by_name[field].number
        contents.MergeFromString(wire.append(b"", number, [lying.data]))
    else:
        getattr(contents, field).extend(array.ravel().tolist())


def _bytes(element: object) -> bytes:
    if isinstance(element, bytes):
        return element
    if isinstance(element, str):
        return element.encode()
    raise TypeError(f"a BYTES tensor holds a {type(element).__name__}; it may hold bytes and str")
