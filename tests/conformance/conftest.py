from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.conformance.server_process import ROOT, Server


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv of this repository's own commands."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found:
        return found
    command = [ROOT / "scripts" / "uv", "run", "--no-project", "--quiet", "sh", "-c", 'echo "$UV"']
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with the default limits but a small body, shared by a module's tests."""
    running = Server(tmp_path_factory.mktemp("server"), "--max_body_size_mb=1", "--enable_latency_logging=true")
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Server]]:
    """Start servers of a test's own; they end with it."""
    started: list[Server] = []

    def start(*flags: str, **environment: str) -> Server:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Server(folder, *flags, **environment))
        return started[-1]

    yield start
    for each in started:
        each.kill()
