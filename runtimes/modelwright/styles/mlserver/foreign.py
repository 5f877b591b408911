"""The type of what authors write: checked where it is used, since no type checker has seen it."""

from typing import Any, TypeAlias

Foreign: TypeAlias = Any
