"""Ports: the preferred one where it is free, another where not, and the same one ever after."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.native.ports import allocate, answers, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_replaced(tmp_path: Path, taken: int) -> None:
    chosen = allocate(tmp_path / "ports.json", {"apiserver": taken})
    assert chosen["apiserver"] != taken
    assert is_free(chosen["apiserver"])


def test_a_free_preferred_port_is_taken(tmp_path: Path, taken: int) -> None:
    free = allocate(tmp_path / "a.json", {"x": 0})["x"]
    assert allocate(tmp_path / "b.json", {"x": free}) == {"x": free}


def test_ports_are_remembered_even_while_they_are_in_use(tmp_path: Path, taken: int) -> None:
    file = tmp_path / "ports.json"
    file.write_text(json.dumps({"apiserver": taken, "old": 1}))
    chosen = allocate(file, {"apiserver": 6443, "etcd": 0})
    assert chosen["apiserver"] == taken
    assert json.loads(file.read_text()) == {"apiserver": taken, "old": 1, "etcd": chosen["etcd"]}


def test_any_ports_are_different_ones(tmp_path: Path) -> None:
    chosen = allocate(tmp_path / "ports.json", dict.fromkeys("abcdef", 0))
    assert len(set(chosen.values())) == 6


def test_answers_tells_a_listener_from_none(taken: int, tmp_path: Path) -> None:
    assert answers("127.0.0.1", taken)
    assert not answers("127.0.0.1", allocate(tmp_path / "ports.json", {"x": 0})["x"])
