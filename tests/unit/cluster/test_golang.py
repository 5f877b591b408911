from __future__ import annotations

from pathlib import Path

import pytest

from cluster.golang import GO_BIN, find_go, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.25 linux/arm64", (1, 25)),
        ("go version devel +a1b2c3 linux/amd64", ()),
        ("", ()),
    ],
)
def test_the_version_is_read_from_gos_answer(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def fake_go(folder: Path, version: str) -> Path:
    go = folder / "go"
    go.parent.mkdir(parents=True, exist_ok=True)
    go.write_text(f'#!/bin/sh\necho "go version go{version} linux/amd64"\n')
    go.chmod(0o755)
    return go


def test_a_go_on_path_that_is_new_enough_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = fake_go(tmp_path, "1.25.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_go((1, 25, 0)) == go


def test_an_older_go_on_path_gives_way_to_the_one_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_go(tmp_path / "path", "1.19.8")
    cached = fake_go(tmp_path / "cache" / "go" / GO_BIN / "go" / "bin", GO_BIN)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("MODELWRIGHT_CACHE", str(tmp_path / "cache"))
    assert find_go((1, 25, 0)) == cached
