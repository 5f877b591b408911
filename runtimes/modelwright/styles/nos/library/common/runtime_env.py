"""`nos.common.runtime_env`: the packages that a model needs besides those of its server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RuntimeEnv:
    """What `from_packages` was given, in the form in which Ray takes it; nothing is installed by making one."""

    conda: dict[str, Any] = field(default_factory=dict)
    working_dir: str | None = None

    @classmethod
    def from_packages(cls, packages: Sequence[str]) -> RuntimeEnv:
        """Record pip requirements."""
        return cls(conda={"dependencies": ["pip", {"pip": list(packages)}]})
