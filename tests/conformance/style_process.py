"""A real server process of an author's file or folder, in its style."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.conformance.server_process import ROOT, Server


class Styled(Server):
    """A file or folder served in a style, on free ports."""

    def __init__(self, folder: Path, style: str, target: str, *flags: str, **environment: str) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "modelwright.cli.styled", style, target, "--http_port=0", "--grpc_port=0"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), **environment},
                stdout=log,
                stderr=log,
            )
        self.port = 0

    def grpc_port(self) -> int:
        until = time.monotonic() + 60
        while not (match := re.search(r"serving gRPC on port (\d+)", self.log)):
            assert self.process.poll() is None and time.monotonic() < until, self.log
            time.sleep(0.05)
        return int(match[1])
