"""Python and numpy values to JSON, as KServe writes them: NaN and the infinities become null."""

from __future__ import annotations

from typing import Final

import numpy as np

from modelwright.codecs import json_plain
from modelwright.errors import InferenceError

try:
    import orjson
except ImportError:
    # A model's own environment.
    _HAS_ORJSON = False
else:
    _HAS_ORJSON = True
    _OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def write_json(value: object) -> bytes:
    """Return a value as JSON: dicts, lists, numpy arrays and scalars, bytes of UTF-8, and what has ``tolist``.

    Raises InferenceError (500) naming the type that has no JSON form.
    """
    if not _HAS_ORJSON:
        return _without_orjson(value)
    try:
        return orjson.dumps(value, _plain, _OPTIONS)
    except TypeError:
        # A big-endian array is refused without asking `_plain`: let it have every array.
        pass
    try:
        return orjson.dumps(value, _plain, orjson.OPT_NON_STR_KEYS)
    except (TypeError, UnicodeError, RecursionError) as error:
        # orjson hides what `_plain` raised behind an error of its own.
        reason = error.__cause__ or error
        raise InferenceError(f"the model's answer cannot be written as JSON: {reason}") from error


def _without_orjson(value: object) -> bytes:
    try:
        return json_plain.write(value, _plain)
    except (TypeError, UnicodeError, RecursionError) as error:
        raise InferenceError(f"the model's answer cannot be written as JSON: {error}") from error


def _plain(value: object) -> object:
    """Return a value that orjson cannot write as one that it can."""
    if isinstance(value, np.ndarray):
        # Strided, text or object: orjson writes only contiguous native numbers.
        return value.tolist()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode()
    # numpy's other scalars, torch's tensors, pandas' series: all know how to become lists.
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        return to_list()
    raise TypeError(
        f"a value of type {type(value).__name__} has no JSON form; return dicts, lists, numbers, strings or arrays"
    )
