from __future__ import annotations

import os

import pytest
from modelwright.server.cgroup import cpu_limit

AVAILABLE = float(len(os.sched_getaffinity(0)))


@pytest.fixture
def limit(tmp_path):
    """Give the limit that a machine with these files has."""

    def limit(membership: str, files: dict[str, str]) -> float:
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        (tmp_path / "membership").write_text(membership)
        return cpu_limit(tmp_path, tmp_path / "membership")

    return limit


def test_v2_in_a_container(limit):
    assert limit("0::/\n", {"cpu.max": "50000 100000\n"}) == 0.5


def test_v2_outside_takes_the_smallest_of_its_ancestors(limit):
    assert limit("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "25000 100000\n"}) == 0.25


def test_v1(limit):
    files = {"cpu/pod/cpu.cfs_quota_us": "50000", "cpu/pod/cpu.cfs_period_us": "100000"}
    assert limit("4:memory:/pod\n3:cpu,cpuacct:/pod\n", files) == 0.5


def test_v1_whose_group_is_mounted_as_the_root(limit):
    files = {"cpu/cpu.cfs_quota_us": "10000", "cpu/cpu.cfs_period_us": "100000"}
    assert limit("3:cpu,cpuacct:/kubepods/pod\n", files) == 0.1


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
        ("", {}),
    ],
)
def test_no_quota_leaves_the_machines_cpus(limit, membership, files):
    assert limit(membership, files) == AVAILABLE


def test_a_quota_above_the_machine_is_the_machine(limit):
    assert limit("0::/\n", {"cpu.max": "100000000 100000\n"}) == AVAILABLE
