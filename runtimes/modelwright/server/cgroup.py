"""How many CPUs this container may use, from the cgroup's quota (v1 and v2), else from the scheduler's affinity."""

import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def cpu_limit(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float:
    """Give the number of CPUs that this process may use; a fraction when the quota is one."""
    available = float(len(os.sched_getaffinity(0)))
    quota = _quota(root, _groups(membership))
    return available if quota is None else min(available, quota)


def _groups(membership: Path) -> dict[str, str]:
    """Give each controller's group of this process; v2's has the empty name."""
    groups = {}
    for line in (_text(membership) or "").splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = group.lstrip("/")
    return groups


def _quota(root: Path, groups: dict[str, str]) -> float | None:
    """Give the smallest quota from this process's group up to the root, since each ancestor's binds too."""
    found = []
    # Inside a container the group's own folder is usually mounted as the root, so both are looked at.
    for base, group, read in ((root, groups.get("", ""), _v2), (root / "cpu", groups.get("cpu", ""), _v1)):
        folder = base / group
        for place in (folder, *folder.parents):
            quota = read(place)
            if quota is not None:
                found.append(quota)
            if place == base:
                break
    return min(found, default=None)


def _v2(folder: Path) -> float | None:
    quota, _, period = (_text(folder / "cpu.max") or "").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _v1(folder: Path) -> float | None:
    quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    # -1 is "no limit".
    return int(quota) / int(period) if quota and period and int(quota) > 0 else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
