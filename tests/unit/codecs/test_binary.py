"""The raw form of tensors, byte by byte, and BF16 held against its definition."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.codecs.bfloat import from_bfloat, round_to_bfloat, to_bfloat
from modelwright.codecs.binary import read_raw, write_raw
from modelwright.tensors import Tensor, datatype_of

from tests.unit.codecs.strategies import raw, same, tensors


@given(tensors())
def test_every_datatype_is_written_and_read(tensor: Tensor) -> None:
    written = write_raw(tensor.datatype, tensor.data)
    assert bytes(written) == raw(tensor)
    assert same(read_raw("x", tensor.datatype, tensor.shape, bytes(written)), tensor.data)


def test_strings_follow_their_length() -> None:
    assert write_raw("BYTES", np.array(["ü", b"", b"ab"], object)) == b"\x02\0\0\0\xc3\xbc\0\0\0\0\x02\0\0\0ab"


def test_what_lies_as_it_travels_is_not_copied() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.shares_memory(np.frombuffer(write_raw("FP32", array), np.uint8), array)
    assert bytes(write_raw("FP32", array.T)) == array.T.tobytes()
    assert bytes(write_raw("FP32", array.astype(">f4"))) == array.tobytes()


@given(st.floats(width=32, allow_nan=False))
def test_bf16_is_the_nearest_with_ties_to_even(value: float) -> None:
    rounded = float(round_to_bfloat(np.array([value], np.float32))[0])
    low = struct.unpack("<I", struct.pack("<f", value))[0] & 0xFFFF0000
    near = [
        struct.unpack("<f", struct.pack("<I", bits))[0]
        for bits in (low, low + 0x10000)
        if bits & 0x7F800000 != 0x7F800000
    ]
    if near and not np.isinf(rounded):
        assert abs(rounded - value) == min(abs(one - value) for one in near)
        distances = [abs(one - value) for one in near]
        if len(near) == 2 and distances[0] == distances[1]:
            assert to_bfloat(np.array([value], np.float32))[0] % 2 == 0


@given(st.integers(0, 0xFFFF))
def test_every_bf16_returns(bits: int) -> None:
    value = from_bfloat(np.array([bits], "<u2"))
    back = int(to_bfloat(value)[0])
    if np.isnan(value[0]):
        assert np.isnan(from_bfloat(np.array([back], "<u2"))[0])
    else:
        assert back == bits


def test_the_datatype_of_an_array() -> None:
    assert datatype_of(np.zeros(1, ">f4")) == "FP32"
    assert datatype_of(np.array(["a"])) == datatype_of(np.array([b"a"])) == "BYTES"
    assert datatype_of(np.zeros(1, bool)) == "BOOL"
    with pytest.raises(TypeError, match="complex128 has no V2 datatype"):
        datatype_of(np.zeros(1, complex))
