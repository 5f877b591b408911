"""A real server process and real sockets to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 30


@dataclass
class Reply:
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """`python -m tests.conformance.{models}` with the given flags, on a free port."""

    def __init__(self, folder: Path, *flags: str, models: str = "server_models", **environment: str) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", f"tests.conformance.{models}", "--http_port=0", "--enable_grpc=false"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtimes'}", **environment},
                stdout=log,
                stderr=log,
            )
        self.port = 0

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_until_serving(self, workers: int = 1) -> Server:
        until = time.monotonic() + START_S
        while len(found := re.findall(r"serving (?!gRPC).* on port (\d+)", self.log)) < workers:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)
        self.port = int(found[0])
        return self

    def connect(self, timeout: float = 10, port: int | None = None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)

    def socket(self, timeout: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, **more) -> Reply:
        """Send one request; what is neither bytes nor None is sent as JSON."""
        connection = self.connect(**more)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, headers or {})
            return read(connection)
        finally:
            connection.close()

    def predict(self, headers: dict[str, str] | None = None, **payload) -> Reply:
        return self.ask("POST", "/v1/models/sum:predict", {"instances": [[1, 2]], **payload}, headers, timeout=40)

    def live(self) -> bool:
        return self.ask("GET", "/v2/health/live", timeout=5).status == 200

    def stop(self, timeout: float = 40) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def read(connection: http.client.HTTPConnection) -> Reply:
    response = connection.getresponse()
    body = response.read()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
