"""Which environments count as running in this process: those of the models that it serves, and the active one."""

from __future__ import annotations

import os
from collections.abc import Iterable

_served: list[str] = []


def serve(names: Iterable[str]) -> None:
    """Count these environments as running here from now on."""
    _served.extend(name for name in names if name not in _served)


def is_running_in_env(env_name: str) -> bool:
    """Tell whether an import guarded by this environment is to be made in this process."""
    return env_name in _served or env_name == _active()


def current() -> str:
    """Name the environment that is active, else the first that is served here; empty where there is none."""
    return _active() or next(iter(_served), "")


def _active() -> str:
    # cosmos-curate's pixi environments are `cosmos-curate:<name>` to conda.
    name = os.environ.get("PIXI_ENVIRONMENT_NAME") or os.environ.get("CONDA_DEFAULT_ENV", "")
    return name.rpartition(":")[2]
