"""Writing the little TOML that the lifecycle reads: tables, arrays of them, strings, booleans, lists of strings."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Scalar: TypeAlias = str | bool | Sequence[str]
Table: TypeAlias = Mapping[str, Scalar]


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A JSON string without \u surrogates is a TOML basic string, and so is a list of them.
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def table(name: str, content: Table) -> str:
    """Write `[name]` and its keys."""
    return "".join([f"[{name}]\n", *(f"{key} = {_value(value)}\n" for key, value in content.items())])


def tables(name: str, contents: Sequence[Table]) -> str:
    """Write one `[[name]]` for each table."""
    return "\n".join(f"[{table(name, content).replace(']', ']]', 1)}" for content in contents)
