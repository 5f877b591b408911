"""`modelwright run IMAGE` beside `modelwright run -- COMMAND`: options on either side of the image."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def podman(tmp_path: Path) -> Path:
    """A PATH whose only program says what it was started with."""
    (tmp_path / "podman").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "podman").chmod(0o755)
    return tmp_path


def run(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwright", "run", *words],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PATH": str(path)},
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("-p", "8080:8080", "-e", "A=b", "iris:1"),
        ("iris:1", "-p", "8080:8080", "-e", "A=b"),
        ("-e", "A=b", "iris:1", "-p", "8080:8080"),
    ],
)
def test_options_stand_on_either_side_of_the_image(podman: Path, words: tuple[str, ...]) -> None:
    done = run(podman, *words, "--", "--workers", "2")
    assert done.stdout.split() == [
        "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--publish", "8080:8080", "--env", "A=b", "iris:1",
        "--workers", "2",
    ], done.stderr  # fmt: skip


def test_a_command_without_its_dashes_is_told_where_they_go(podman: Path) -> None:
    done = run(podman, "python", "-m", "model")
    assert done.returncode == 2
    assert "to run the command 'python', write -- in front of it" in done.stderr


def test_what_is_no_image_says_so(podman: Path) -> None:
    done = run(podman, "./Model.py")
    assert (done.returncode, "'./Model.py' is no image's name" in done.stderr) == (2, True), done.stderr
