"""The type of what comes from the author's code or goes to it: only the author knows."""

from typing import Any, TypeAlias

Foreign: TypeAlias = Any
