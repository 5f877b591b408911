"""Which provider serves this machine: what runs already, what the user says, else what is found to work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cluster.existing import ExistingProvider
from cluster.info import ClusterError, ClusterInfo, NotRunningError, Provider
from cluster.kind import KindProvider
from cluster.kind.detection import Verdict, verdict
from cluster.native import NativeProvider
from cluster.paths import state_folder
from cluster.progress import say

__all__ = [
    "ClusterError",
    "ClusterInfo",
    "NotRunningError",
    "Provider",
    "choose",
    "current",
    "detect",
    "host_processes",
]

_PROVIDERS: dict[str, Callable[[], Provider]] = {
    "kind": KindProvider,
    "native": NativeProvider,
    "existing": ExistingProvider,
}


def detect() -> Provider:
    """Return the provider of the cluster that is up, or the one to bring a cluster up with.

    `MODELWRIGHT_CLUSTER` decides where it is set; else kind where privileged containers run, else native. The
    choice is printed on stderr with its reason and noted, so that later calls need not find out again.
    Raises ClusterError for a provider that does not exist, or when another one's cluster is up.
    """
    asked = os.environ.get("MODELWRIGHT_CLUSTER")
    noted = _noted()
    if noted and asked in (None, "", noted):
        return _PROVIDERS[noted]()
    if noted and asked != ExistingProvider.name and _is_up(noted):
        raise ClusterError(
            f"MODELWRIGHT_CLUSTER={asked}, but a {noted} cluster is up; remove it first: make cluster-down"
        )
    name, reason = choose(asked, verdict)
    if name != ExistingProvider.name:
        say(f"provider: {name} ({reason})")
        _note().parent.mkdir(parents=True, exist_ok=True)
        _note().write_text(f"{name}\n")
    return _PROVIDERS[name]()


def current() -> Provider:
    """Return the provider that was used here before; raises NotRunningError where there is none."""
    if os.environ.get("MODELWRIGHT_CLUSTER") == ExistingProvider.name:
        return ExistingProvider()
    noted = _noted()
    if not noted:
        raise NotRunningError
    return _PROVIDERS[noted]()


def host_processes() -> Provider:
    """Return the provider of a bare control plane: the existing cluster if asked for, else native."""
    return ExistingProvider() if os.environ.get("MODELWRIGHT_CLUSTER") == ExistingProvider.name else NativeProvider()


def _is_up(name: str) -> bool:
    try:
        _PROVIDERS[name]().info()
    except NotRunningError:
        return False
    return True


def _noted() -> str:
    """Return the name of the provider that was used last, "" where none was."""
    name = _note().read_text().strip() if _note().is_file() else ""
    return name if name in _PROVIDERS else ""


def choose(asked: str | None, try_kind: Callable[[], Verdict]) -> tuple[str, str]:
    """Return a provider's name and why: the one asked for, else kind if the trial succeeds, else native."""
    if asked:
        if asked not in _PROVIDERS:
            raise ClusterError(f"MODELWRIGHT_CLUSTER={asked}: there is no such provider; use {', '.join(_PROVIDERS)}")
        return asked, "MODELWRIGHT_CLUSTER"
    trial = try_kind()
    return ("kind" if trial.usable else "native"), trial.reason


def _note() -> Path:
    return state_folder() / "provider"
