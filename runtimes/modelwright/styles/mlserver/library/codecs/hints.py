"""Type hints in one form, so that `List[str]`, `list[str]` and `Optional[list[str]]` are the same hint."""

from __future__ import annotations

import types
from datetime import datetime
from typing import Union, get_args, get_origin

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign

_UNIONS = (Union, types.UnionType)


def is_optional(hint: Foreign) -> bool:
    """Say whether a hint admits None."""
    origin: Foreign = get_origin(hint)
    return origin in _UNIONS and type(None) in get_args(hint)


def plain(hint: Foreign) -> Foreign:
    """Return a hint in its one form; None for no type at all."""
    origin: Foreign = get_origin(hint)
    inner = get_args(hint)
    if origin in _UNIONS:
        left = [each for each in inner if each is not type(None)]
        return plain(left[0]) if len(left) == 1 else frozenset(map(plain, left))
    if origin is list:
        # What DatetimeCodec says of its elements: text is taken as a date in ISO 8601.
        element = plain(inner[0])
        return types.GenericAlias(list, (datetime if element == frozenset((str, datetime)) else element,))
    if origin is np.ndarray:
        return np.ndarray
    return None if hint is type(None) else hint


def parts(hint: Foreign) -> list[Foreign]:
    """Return the hints of what is returned: those of a tuple, none for None, else the one."""
    if hint is None or hint is type(None):
        return []
    if is_optional(hint):
        left = [each for each in get_args(hint) if each is not type(None)]
        return parts(left[0]) if len(left) == 1 else [hint]
    origin: Foreign = get_origin(hint)
    return list(get_args(hint)) if origin is tuple else [hint]
