"""How many replicas fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from modelwright.scale import memory

GIB = 1024**3


@pytest.mark.parametrize(
    ("weight", "available", "cpus", "expected"),
    [
        (GIB, 10 * GIB, 4, 4),
        (GIB, 2 * GIB, 4, 2),
        (GIB, GIB, 4, 1),
        (GIB, 0, 4, 1),
        (GIB, 10 * GIB, 0.5, 1),
        (0, GIB, 2.5, 2),
    ],
)
def test_replicas_are_bound_by_memory_and_by_processors(
    weight: int, available: int, cpus: float, expected: int
) -> None:
    assert memory.replicas(weight, available, cpus) == expected


def test_a_containers_limit_is_what_is_available(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert memory.available(tmp_path) == 2000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available(tmp_path) > 2000


def test_a_process_has_a_peak_and_none_has_not() -> None:
    assert memory.peak(os.getpid()) > 1024**2
    assert memory.peak(2**22 + 1) == 0
