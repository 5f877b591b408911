"""What a class says to the compiler (docs/adr/0026), which the Python beside it does not need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["mypyc_attr"]

Kind = TypeVar("Kind")
try:
    from mypy_extensions import mypyc_attr
except ImportError:

    def mypyc_attr(*attrs: str, **kwattrs: object) -> Callable[[Kind], Kind]:
        """Mean nothing."""
        return lambda kind: kind
