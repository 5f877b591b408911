"""How many replicas of one size fit on this machine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

_KIBIBYTE: Final = 1024
# What is left to everybody else.
_SPARE: Final = 0.1
_CGROUP: Final = Path("/sys/fs/cgroup")


def replicas(weight: int, available: int, cpus: float) -> int:
    """Give how many replicas to have in all, where one of `weight` bytes runs already and `available` are free.

    At least one, and no more than there are processors: one more would only wait for them.
    """
    more = int(available * (1 - _SPARE) // max(1, weight))
    return max(1, min(1 + more, math.floor(cpus)))


def peak(pid: int) -> int:
    """Give the most memory that a process has had, in bytes; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return _field(text, "VmHWM")


def available(cgroup: Path = _CGROUP) -> int:
    """Give the bytes that can still be had, by the machine and by the container's limit (cgroup v2, then v1)."""
    free = _field(Path("/proc/meminfo").read_text(encoding="ascii"), "MemAvailable")
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most, now = _number(cgroup / limit), _number(cgroup / used)
        if most is not None and now is not None:
            free = min(free, max(0, most - now))
    return free


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * _KIBIBYTE
    return 0


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
