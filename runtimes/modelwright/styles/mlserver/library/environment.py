"""What settings are where a file does not say: the environment's, or those of `.env` in the working folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from modelwright.styles.mlserver.foreign import Foreign

_TRUE = ("1", "true", "t", "yes", "y", "on")
_FALSE = ("0", "false", "f", "no", "n", "off")


def environment() -> Mapping[str, str]:
    """Return the variables, names in capitals; the process's own win over the file's."""
    return {name.upper(): value for name, value in {**_file(Path(".env")), **os.environ}.items()}


def _file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def read(field: str, kind: Foreign, value: Foreign) -> Foreign:
    """Return a setting as the type of its field; text, as the environment has it, is converted.

    Raises:
        ValueError: naming the field, and what was expected.

    """
    kinds = [each for each in get_args(kind) if each is not type(None)] if get_args(kind) else [kind]
    if value is None:
        return None
    for each in kinds:
        wanted = getattr(each, "__origin__", each)
        if wanted is bool and isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
            return value.lower() in _TRUE
        if wanted in (list, dict) and isinstance(value, str):
            value = _json(field, value)
        if wanted in (int, float) and isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                return wanted(value)
            except ValueError:
                continue
        if isinstance(value, wanted):
            return value
    names = " or ".join(getattr(each, "__name__", str(each)) for each in kinds)
    raise ValueError(f"{field} must be {names}, not {value!r}")


def _json(field: str, value: str) -> Foreign:
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError(f"{field} must be JSON in the environment, not {value!r}") from None
