from __future__ import annotations

from pathlib import Path

import pytest

from cluster.paths import cache_folder, state_folder


def test_own_variables_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_STATE", "/a")
    monkeypatch.setenv("MODELWRIGHT_CACHE", "/b")
    assert (state_folder(), cache_folder()) == (Path("/a/cluster"), Path("/b"))


def test_then_the_freedesktop_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELWRIGHT_STATE", raising=False)
    monkeypatch.delenv("MODELWRIGHT_CACHE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert (state_folder(), cache_folder()) == (Path("/s/modelwright/cluster"), Path("/c/modelwright"))


def test_then_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODELWRIGHT_STATE", "MODELWRIGHT_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    assert state_folder() == Path("/home/ada/.local/state/modelwright/cluster")
    assert cache_folder() == Path("/home/ada/.cache/modelwright")
