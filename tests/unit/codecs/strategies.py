"""Tensors of every datatype, drawn by hypothesis, and requests written without the codecs' own code."""

import json
import struct

import numpy as np
from hypothesis import strategies as st
from modelwright.tensors import NUMPY_TYPES, Array, Tensor

DATATYPES = sorted(NUMPY_TYPES)
_WIDTHS = {"FP16": 16, "BF16": 32, "FP32": 32, "FP64": 64}


def _bfloat(value: float) -> float:
    """Cut a float32 to what BF16 holds."""
    return struct.unpack("<f", b"\0\0" + struct.pack("<f", value)[2:])[0]


def elements(datatype: str, *, finite: bool = False) -> st.SearchStrategy:
    if datatype == "BYTES":
        return st.text(max_size=12).map(str.encode)
    if datatype == "BOOL":
        return st.booleans()
    if datatype in _WIDTHS:
        floats = st.floats(width=_WIDTHS[datatype], allow_nan=not finite, allow_infinity=not finite)
        return floats.map(_bfloat) if datatype == "BF16" else floats
    limits = np.iinfo(NUMPY_TYPES[datatype])
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def tensors(draw: st.DrawFn, *, finite: bool = False, name: str | None = None) -> Tensor:
    datatype = draw(st.sampled_from(DATATYPES))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    size = int(np.prod(shape, dtype=int))
    items = draw(st.lists(elements(datatype, finite=finite), min_size=size, max_size=size))
    data = np.empty(size, NUMPY_TYPES[datatype])
    data[:] = items
    return Tensor(name or draw(st.text(min_size=1, max_size=8)), datatype, shape, data.reshape(shape))


@st.composite
def several(draw: st.DrawFn, *, finite: bool = False) -> list[Tensor]:
    return draw(st.lists(tensors(finite=finite), min_size=1, max_size=4, unique_by=lambda tensor: tensor.name))


def json_data(tensor: Tensor, *, nested: bool) -> list:
    data = tensor.data if nested and tensor.shape else tensor.data.reshape(-1)
    if tensor.datatype != "BYTES":
        return data.tolist()
    texts = np.empty(data.shape, object)
    for index in np.ndindex(data.shape):
        texts[index] = data[index].decode()
    return texts.tolist()


def json_request(tensors: list[Tensor], *, nested: bool = False, **fields: object) -> bytes:
    """Write a request with the standard library."""
    inputs = [
        {"name": t.name, "shape": list(t.shape), "datatype": t.datatype, "data": json_data(t, nested=nested)}
        for t in tensors
    ]
    return json.dumps({"inputs": inputs, **fields}).encode()


def raw(tensor: Tensor) -> bytes:
    """Write the raw form with struct, an element at a time."""
    items = tensor.data.reshape(-1).tolist()
    if tensor.datatype == "BYTES":
        return b"".join(struct.pack("<I", len(item)) + item for item in items)
    if tensor.datatype == "BF16":
        return b"".join(struct.pack("<f", item)[2:] for item in items)
    return b"".join(struct.pack("<" + _CODES[tensor.datatype], item) for item in items)


def binary_request(tensors: list[Tensor], **fields: object) -> tuple[bytes, dict[str, str]]:
    pieces = [raw(tensor) for tensor in tensors]
    inputs = [
        {
            "name": t.name,
            "shape": list(t.shape),
            "datatype": t.datatype,
            "parameters": {"binary_data_size": len(piece)},
        }
        for t, piece in zip(tensors, pieces, strict=True)
    ]
    head = json.dumps({"inputs": inputs, **fields}).encode()
    return head + b"".join(pieces), {"inference-header-content-length": str(len(head))}


def same(left: Array, right: Array) -> bool:
    """Say whether two arrays are equal, bit by bit but for which NaN a NaN is."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if left.dtype == object:
        return left.tolist() == right.tolist()
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind == "f"))


_CODES = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
