"""Entry points as processes, under genuine kserve's server or ours, and how to ask them."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODELS = Path(__file__).parent / "kserve_models"
RUN = [sys.executable, "-m", "modelwright", "run", "--"]
JSON = {"content-type": "application/json"}


@dataclass
class Server:
    """A process of one entry point, and how to ask it."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    description: dict[str, Any] = field(default_factory=dict)

    def ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 20
    ) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers or JSON)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def wait(self, patience: float = 60) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                # Ready, not live: gRPC starts behind REST, and readiness waits for it.
                if self.ask("/v2/health/ready")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{self.log.read_text()}")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(40)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(folder: Path, script: str, *arguments: str, kserve: str, patience: float = 60) -> Server:
    port, log = free_port(), folder / f"{script}-{kserve}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*RUN, "python", "-m", script, f"--http_port={port}", *arguments],
            cwd=MODELS, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), "MODELWRIGHT_KSERVE": kserve},
        )  # fmt: skip
    server = Server(port, process, log)
    server.wait(patience)
    return server
