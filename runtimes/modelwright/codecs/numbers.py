"""The ``data`` of a JSON tensor to an array of its datatype, each element checked.

Flat and nested data are taken alike. Numbers must fit: integers in the datatype's range (3.0 is an integer, 3.5 is
not), floats finite after rounding to the datatype, or null, which is NaN, as servers write it. ``true`` and ``false``
are no numbers, 0 and 1 are booleans.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final, Literal

import numpy as np

from modelwright.codecs.bfloat import round_to_bfloat
from modelwright.codecs.describe import describe
from modelwright.codecs.shapes import MAX_DIMENSIONS, check_count, check_nesting
from modelwright.errors import InvalidInput
from modelwright.tensors import NUMPY_TYPES, Array

try:
    import simdjson
except ImportError:
    # A model's own environment, where the server's process has parsed what comes.
    from modelwright.codecs import no_proxies as simdjson  # type: ignore[no-redef]

_FLOATS: Final = frozenset({"FP16", "BF16", "FP32", "FP64"})
_NUMBERS: Final = frozenset({int, float})
# What surely survives rounding to the datatype; what may not is looked at element by element.
_LARGEST: Final = {"FP16": 65504.0, "FP32": float(np.finfo(np.float32).max), "FP64": float(np.finfo(np.float64).max)}
# Past this a double no longer names one integer.
_EXACT: Final = 2**53


def read_data(where: str, datatype: str, shape: tuple[int, ...], data: object) -> tuple[Array, int]:
    """Return the array, and how many JSON arrays `data` was seen to be made of.

    That count is what a caller compares with the document's brackets: simdjson flattens ``[1, [2]]`` without a
    word, so a count that is short means that `check_leaves` has to look.
    """
    if isinstance(data, simdjson.Array):
        values = _buffer(data, datatype)
        if values is not None:
            nested, levels = _nesting_of_proxy(where, shape, data)
            check_nesting(where, shape, nested)
            check_count(where, shape, len(values))
            return _fit(where, datatype, values).reshape(shape), levels
        data = data.as_list()
    if not isinstance(data, list):
        raise InvalidInput(f"{where}: 'data' must be a list, not {describe(data)}")
    items, nested, arrays = _flatten(where, data)
    check_nesting(where, shape, nested)
    check_count(where, shape, len(items))
    return _from_items(where, datatype, items).reshape(shape), arrays


def check_leaves(where: str, data: object) -> None:
    """Raise InvalidInput where a list of `data` mixes values and lists. Looks at every element."""
    level: list[Any] = [data] if isinstance(data, simdjson.Array) else []
    while level:
        kinds = {isinstance(child, simdjson.Array) for array in level for child in array}
        if len(kinds) > 1:
            raise _ragged(where)
        level = [child for array in level for child in array] if True in kinds else []


def _buffer(data: simdjson.Array, datatype: str) -> Array | None:
    """Return the numbers in the widest type of their kind, or None where some element has to be looked at."""
    if datatype in ("BYTES", "BOOL"):
        return None
    kind: Literal["d", "i", "u"] = "d" if datatype in _FLOATS else "u" if datatype == "UINT64" else "i"
    try:
        return np.frombuffer(data.as_buffer(of_type=kind), _WIDEST[kind])
    except (TypeError, ValueError, RuntimeError):
        return None


_WIDEST: Final = {"d": np.dtype(np.float64), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}


def _nesting_of_proxy(where: str, shape: tuple[int, ...], data: simdjson.Array) -> tuple[tuple[int, ...], int]:
    """Return the shape that the arrays' lengths say, and how many arrays there are; all regular, or InvalidInput."""
    lengths = tuple(_first_lengths(where, data))
    check_nesting(where, shape, lengths)
    arrays = 1
    level: list[Any] = [data]
    for depth in range(len(lengths) - 1):
        level = list(chain.from_iterable(level))
        if set(map(type, level)) - {simdjson.Array} or set(map(len, level)) - {lengths[depth + 1]}:
            raise _ragged(where)
        arrays += len(level)
    return lengths, arrays


def _first_lengths(where: str, data: object) -> Iterator[int]:
    for _ in range(MAX_DIMENSIONS + 1):
        if not isinstance(data, simdjson.Array):
            return
        yield len(data)
        data = next(iter(data), None)
    raise InvalidInput(f"{where}: 'data' is nested deeper than {MAX_DIMENSIONS} lists")


def _flatten(where: str, data: list[Any]) -> tuple[list[Any], tuple[int, ...], int]:
    """Return the elements in row-major order, the nested shape, and how many lists there were."""
    lengths, arrays, level = [len(data)], 1, data
    while list in (kinds := set(map(type, level))):
        sizes = set(map(len, level)) if len(kinds) == 1 else set()
        if len(sizes) != 1:
            raise _ragged(where)
        lengths.append(sizes.pop())
        if len(lengths) > MAX_DIMENSIONS:
            raise InvalidInput(f"{where}: 'data' is nested deeper than {MAX_DIMENSIONS} lists")
        arrays += len(level)
        level = list(chain.from_iterable(level))
    return level, tuple(lengths), arrays


def _from_items(where: str, datatype: str, items: list[Any]) -> Array:
    kinds = set(map(type, items))
    if datatype == "BYTES":
        _check_kinds(where, datatype, items, kinds, {str}, "strings")
        array = np.empty(len(items), object)
        array[:] = [item.encode() for item in items]
        return array
    if datatype == "BOOL":
        _check_kinds(where, datatype, items, kinds, {bool, int}, "true or false")
        for index, item in enumerate(items) if int in kinds else ():
            if item not in (0, 1):
                raise _unfit(where, datatype, index, item, "true or false")
        return np.array(items, np.bool_)
    if datatype in _FLOATS:
        if type(None) in kinds:
            items = [float("nan") if item is None else item for item in items]
            kinds = set(map(type, items))
        _check_kinds(where, datatype, items, kinds, _NUMBERS, "finite numbers")
        largest = _LARGEST.get(datatype, 0.0)
        if items and -largest <= min(items) and max(items) <= largest:
            return np.array(items, NUMPY_TYPES[datatype])
        return _fit(where, datatype, np.array(items, np.float64))
    return _integers(where, datatype, items, kinds)


def _integers(where: str, datatype: str, items: list[Any], kinds: set[type]) -> Array:
    _check_kinds(where, datatype, items, kinds, _NUMBERS, "integers")
    if float in kinds:
        for index, item in enumerate(items):
            if type(item) is float and not (item.is_integer() and abs(item) <= _EXACT):
                raise _unfit(where, datatype, index, item, f"integers {_range(datatype)}")
        items = list(map(int, items))
    limits = np.iinfo(NUMPY_TYPES[datatype])
    if items and (min(items) < limits.min or max(items) > limits.max):
        index = next(index for index, item in enumerate(items) if not limits.min <= item <= limits.max)
        raise _unfit(where, datatype, index, items[index], f"integers {_range(datatype)}")
    return np.array(items, NUMPY_TYPES[datatype])


def _fit(where: str, datatype: str, values: Array) -> Array:
    """Convert float64, int64 or uint64 to the datatype; InvalidInput where a value is beyond it."""
    if datatype in _FLOATS:
        return _fit_floats(where, datatype, values)
    wanted = NUMPY_TYPES[datatype]
    if values.dtype == wanted:
        return values
    limits = np.iinfo(wanted)
    if values.size and (values.min() < limits.min or values.max() > limits.max):
        index = int(np.argmax((values < limits.min) | (values > limits.max)))
        raise _unfit(where, datatype, index, int(values[index]), f"integers {_range(datatype)}")
    return values.astype(wanted)


def _fit_floats(where: str, datatype: str, values: Array) -> Array:
    if datatype == "FP64":
        return values
    with np.errstate(over="ignore", under="ignore"):
        fitted = values.astype(NUMPY_TYPES[datatype])
        if datatype == "BF16":
            fitted = round_to_bfloat(fitted)
    beyond = np.isinf(fitted)
    if beyond.any():
        index = int(np.argmax(beyond))
        raise _unfit(where, datatype, index, float(values[index]), f"numbers that fit {datatype}")
    return fitted


def _check_kinds(
    where: str, datatype: str, items: list[Any], kinds: set[type], taken: AbstractSet[type], expected: str
) -> None:
    if kinds - taken:
        index = next(index for index, item in enumerate(items) if type(item) not in taken)
        raise _unfit(where, datatype, index, items[index], expected)


def _range(datatype: str) -> str:
    limits = np.iinfo(NUMPY_TYPES[datatype])
    return f"from {limits.min} to {limits.max}"


def _unfit(where: str, datatype: str, index: int, item: object, expected: str) -> InvalidInput:
    return InvalidInput(f"{where}: {datatype} takes {expected}, but element {index} of 'data' is {describe(item)}")


def _ragged(where: str) -> InvalidInput:
    return InvalidInput(f"{where}: 'data' is ragged: lists beside each other must have the same length")
