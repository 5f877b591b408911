"""The tensor that nearly every small JSON request has, floats in a flat list, read in one pass."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.codecs.shapes import MAX_DIMENSIONS
from modelwright.tensors import NUMPY_TYPES, Tensor

# Finite and within this, a number survives rounding to its datatype.
_LARGEST: Final[dict[object, float]] = {
    "FP32": float(np.finfo(np.float32).max),
    "FP64": float(np.finfo(np.float64).max),
}
_FEW: Final = 128


def few_floats(item: dict[str, Any]) -> Tensor | None:
    """Return the tensor of a JSON object; None for any other, and for what is wrong, which is looked at more closely.

    An object of name, datatype, shape and data, and nothing else; `data` flat, and all of it floats.
    """
    name, datatype, shape, data = item.get("name"), item.get("datatype"), item.get("shape"), item.get("data")
    if len(item) != 4 or not isinstance(name, str) or not name or not isinstance(datatype, str):
        return None
    if not isinstance(shape, list) or not isinstance(data, list):
        return None
    largest = _LARGEST.get(datatype)
    if largest is None or len(shape) > MAX_DIMENSIONS or not 0 < len(data) <= _FEW:
        return None
    elements = 1
    for dimension in shape:
        if type(dimension) is not int or not 0 < dimension <= _FEW:
            return None
        elements *= dimension
    if elements != len(data) or not _fit(data, largest):
        return None
    return Tensor(name, datatype, tuple(shape), np.array(data, NUMPY_TYPES[datatype]).reshape(shape), {})


def _fit(data: list[Any], largest: float) -> bool:
    return all(type(number) is float and -largest <= number <= largest for number in data)
