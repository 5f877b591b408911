"""Python values to typed frames and back."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pytest
from modelwright.scale.values import pack, unpack
from PIL import Image


@dataclass
class Own:
    name: str


def there_and_back(value: object) -> object:
    head, buffers = pack(value)
    return unpack(head, [memoryview(bytearray(buffer)) for buffer in buffers])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**80,
        1.5,
        math.inf,
        "häß\ud800",
        b"\x00\xff",
        [1, ["a"], ()],
        (1, (2,), [3]),
        {"a": 1, 2: {"b": b"c"}, (1, 2): None},
        [["l", 3]],
        OrderedDict(a=1),
        {1, 2},
        Own("x"),
    ],
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="<i8").reshape(2, 3),
        np.arange(6, dtype=">f4").reshape(2, 3).T,
        np.zeros((2, 0), bool),
        np.array(3.5),
        np.array([1 + 2j]),
        np.array(["a", None], dtype=object),
        np.array(["ab", "c"]),
    ],
)
def test_an_array_keeps_type_and_shape(array: np.ndarray) -> None:
    back = there_and_back({"x": array})
    assert isinstance(back, dict)
    assert (back["x"].dtype, back["x"].shape) == (array.dtype, array.shape)
    assert back["x"].tolist() == array.tolist()
    assert back["x"].flags.writeable


def test_a_numpy_scalar_and_an_image_are_what_they_were() -> None:
    scalar = there_and_back(np.float32(1.5))
    assert type(scalar) is np.float32
    for mode in ("RGB", "L", "P"):
        image = Image.effect_noise((5, 3), 50).convert(mode)
        back = there_and_back([image])
        assert isinstance(back, list)
        assert (back[0].mode, back[0].size, back[0].tobytes()) == (mode, (5, 3), image.tobytes())


def test_what_has_a_type_of_its_own_is_not_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.scale.values.cloudpickle", None)
    value = {"images": [Image.new("RGB", (2, 2)), np.ones(3)], "n": 1, "text": ("a", b"b")}
    assert there_and_back(value).keys() == value.keys()  # type: ignore[attr-defined]
