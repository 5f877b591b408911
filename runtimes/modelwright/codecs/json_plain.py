"""Values to JSON where orjson is not: in a model's own environment, which has what its author asked for and no more."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping


def write(value: object, plain: Callable[[object], object]) -> bytes:
    """Return a value as orjson would write it: NaN and the infinities become null, keys text, `plain` gives the rest.

    Raises TypeError for what has no JSON form.
    """
    written = json.dumps(_finite(value, plain), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return written.encode()


def _finite(value: object, plain: Callable[[object], object]) -> object:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {_key(key): _finite(each, plain) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each, plain) for each in value]
    return _finite(plain(value), plain)


def _key(key: object) -> str:
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    return str(key)
