"""The control group that holds every pod of the cluster and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cluster.native.processes import Running

ROOT = Path("/sys/fs/cgroup")
NAME = "modelwright"


def create() -> None:
    """Make the group in every hierarchy; the kubelet wants to find it."""
    for folder in _folders():
        folder.mkdir(exist_ok=True)
        # In cgroup v1 a new cpuset is empty, and no process may enter an empty one.
        for name in ("cpuset.cpus", "cpuset.mems"):
            own, parent = folder / name, folder.parent / name
            if own.is_file() and parent.is_file() and not own.read_text(encoding="ascii").strip():
                own.write_text(parent.read_text(encoding="ascii"), encoding="ascii")


def members() -> list[Running]:
    """Return the processes of all pods."""
    files = [Path(group) / "cgroup.procs" for folder in _folders() for group in _tree(folder)]
    found = {int(pid) for file in files for pid in _words(file)}
    return [process for pid in sorted(found) if (process := Running.of(pid)) is not None]


def remove() -> None:
    """Remove the group from every hierarchy; raises OSError when a process is still in it after five seconds."""
    deadline = time.monotonic() + 5
    for folder in _folders():
        for group in _tree(folder):
            _remove(group, deadline)


def discard(name: str) -> None:
    """Remove what is empty, and so holds nobody's processes, of a group that another program made."""
    for folder in _folders(name):
        for group in _tree(folder):
            with suppress(OSError):
                Path(group).rmdir()


def _tree(folder: Path) -> list[str]:
    """Return the group and all below it, children before their parents; what vanishes meanwhile is left out."""
    return [path for path, _, _ in os.walk(folder, topdown=False)]


def _remove(group: str, deadline: float) -> None:
    while True:
        try:
            Path(group).rmdir()
        except FileNotFoundError:
            # A runtime that is just ending removes the same ones.
            return
        except OSError:
            # The kernel counts a killed process as a member for a moment longer.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _folders(name: str | None = None) -> Iterator[Path]:
    wanted = name or NAME
    if (ROOT / "cgroup.controllers").is_file():
        yield ROOT / wanted
        return
    seen: set[Path] = set()
    for hierarchy in sorted(ROOT.iterdir()):
        # `cpu` and `cpuacct` may be links to one `cpu,cpuacct`.
        real = hierarchy.resolve()
        if real not in seen and (real / "cgroup.procs").is_file():
            seen.add(real)
            yield real / wanted


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []
