"""Shapes from the wire: lists of dimensions, checked before anything is made of that size."""

from __future__ import annotations

from math import prod
from typing import Final

from modelwright.codecs.describe import describe
from modelwright.errors import InvalidInput

# What one numpy array can have.
MAX_DIMENSIONS: Final = 32
_MAX_ELEMENTS: Final = 2**56


def read_shape(where: str, value: object) -> tuple[int, ...]:
    """Return a shape as a tuple. Raises InvalidInput unless it is a list of integers >= 0 that an array can have."""
    if not isinstance(value, (list, tuple)):
        raise InvalidInput(f"{where}: 'shape' must be a list of integers, not {describe(value)}")
    if len(value) > MAX_DIMENSIONS:
        raise InvalidInput(f"{where}: 'shape' has {len(value)} dimensions; the most is {MAX_DIMENSIONS}")
    for dimension in value:
        if type(dimension) is not int:
            raise InvalidInput(f"{where}: 'shape' must hold integers, not {describe(dimension)}")
        if dimension < 0:
            raise InvalidInput(f"{where}: 'shape' must hold sizes >= 0, not {dimension}; send the actual size")
    # An empty array still has strides, which numpy computes from the other dimensions.
    if (prod(value) or prod(filter(None, value))) > _MAX_ELEMENTS:
        raise InvalidInput(f"{where}: shape {_text(value)} is more than any array holds")
    return tuple(value)


def check_count(where: str, shape: tuple[int, ...], count: int) -> None:
    """Raise InvalidInput unless a tensor of `shape` has exactly `count` elements."""
    expected = prod(shape)
    if count != expected:
        raise InvalidInput(f"{where}: shape {_text(shape)} needs {expected} elements, but the data has {count}")


def check_nesting(where: str, shape: tuple[int, ...], nested: tuple[int, ...]) -> None:
    """Raise InvalidInput if nested data is laid out otherwise than `shape` says; dimensions of 1 do not count.

    Flat data has one dimension and fits every shape of as many elements.
    """
    if len(nested) > 1 and _without_ones(nested) != _without_ones(shape):
        raise InvalidInput(f"{where}: 'shape' says {_text(shape)}, but the data is nested as {_text(nested)}")


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    # Lists nest no further than the first empty one.
    seen = shape[: shape.index(0) + 1] if 0 in shape else shape
    return [dimension for dimension in seen if dimension != 1]


def _text(shape: list[int] | tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
