"""Where the test Kubernetes keeps what it makes: state that `down` removes, and caches that outlive it."""

from __future__ import annotations

import os
from pathlib import Path


def _base(variable: str, xdg_variable: str, default: str) -> Path:
    own = os.environ.get(variable)
    if own:
        return Path(own).expanduser().absolute()
    xdg = os.environ.get(xdg_variable)
    return (Path(xdg) if xdg else Path.home() / default) / "modelwright"


def state_folder() -> Path:
    """Folder of the running cluster: pids, logs, certificates, data (`MODELWRIGHT_STATE`, else XDG's)."""
    return _base("MODELWRIGHT_STATE", "XDG_STATE_HOME", ".local/state") / "cluster"


def cache_folder() -> Path:
    """Folder of what is costly to make again: binaries, base images (`MODELWRIGHT_CACHE`, else XDG's)."""
    return _base("MODELWRIGHT_CACHE", "XDG_CACHE_HOME", ".cache")


def modules_folder() -> Path:
    """Folder with one Go module for each upstream project."""
    return Path(__file__).parent / "modules"
