"""Values survive the way to another process and back; what is no value is refused, not looked into."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from modelwright.environments.values import Unreadable, decode, encode


def there_and_back(value: object) -> Any:
    return decode(b"".join(encode(value)))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(plain)
def test_plain_values_are_the_same(value: object) -> None:
    assert there_and_back(value) == value


@given(
    hnp.arrays(
        st.sampled_from(["<f4", ">f8", "<i8", "u1", "?", "<f2"]),
        hnp.array_shapes(min_dims=0, min_side=0),
        elements=st.integers(0, 1),
    )
)
def test_arrays_are_the_same_and_aligned(array: np.ndarray) -> None:
    back = there_and_back(["x", array])[1]
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    np.testing.assert_array_equal(back, array)
    assert back.flags.aligned


def test_strided_arrays_text_and_scalars() -> None:
    np.testing.assert_array_equal(there_and_back(np.arange(12).reshape(3, 4)[:, ::2]), [[0, 2], [4, 6], [8, 10]])
    words = np.array([[b"a", "\u00e4"]], dtype=object)
    assert there_and_back(words).tolist() == [[b"a", "\u00e4".encode()]]
    assert there_and_back(np.array(["ab", "c"])).tolist() == [b"ab", b"c"]
    assert there_and_back({"a": np.float32(1.5), 2: (1, None)}) == {"a": 1.5, "2": [1, None]}
    assert math.isnan(there_and_back(math.nan))


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([1j]), np.array([object()])])
def test_what_has_no_bytes_is_named(value: object) -> None:
    with pytest.raises(Unreadable, match="cannot leave its process"):
        encode(value)


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(Unreadable, match="nested"):
        encode(deep)
    with pytest.raises(Unreadable, match="nested"):
        decode(b"l\x01\x00\x00\x00" * 200)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_value_are_refused(content: bytes) -> None:
    try:
        decode(content)
    except Unreadable:
        return


def test_a_pickle_is_no_value() -> None:
    with pytest.raises(Unreadable, match="no value begins with"):
        decode(pickle.dumps({"a": 1}))


def test_a_length_beyond_the_end_is_refused_before_anything_is_made() -> None:
    with pytest.raises(Unreadable, match="values in"):
        decode(b"l\xff\xff\xff\xff")
    with pytest.raises(Unreadable, match="bytes where"):
        decode(b"b" + b"\xff" * 7 + b"\x00")
