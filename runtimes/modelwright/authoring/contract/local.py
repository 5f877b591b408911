"""A folder served for a moment, on a port of its own, to be asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from modelwright.authoring.asking.endpoint import Endpoint
from modelwright.authoring.errors import Mistake, Unreachable

_EVERY = 0.1
_GRACE = 20.0
_LONGEST_LOG = 4000


@contextmanager
def served(target: str, flags: Sequence[str], timeout: float) -> Iterator[Endpoint]:
    """Serve `target` as `modelwright serve` does until the block ends.

    Raises:
        Mistake: it is not ready within `timeout` seconds, or ends; the message has the end of what it said.

    """
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "modelwright",
        "serve",
        target,
        f"--http_port={port}",
        "--enable_grpc=false",
        *flags,
    ]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_environment())
        try:
            endpoint = Endpoint(f"http://127.0.0.1:{port}", {}, timeout=10)
            until = time.monotonic() + timeout
            while not _ready(endpoint):
                if server.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    said = log.read()[-_LONGEST_LOG:].decode("utf-8", "replace").strip()
                    what = "did not start" if server.poll() is not None else f"is not ready after {timeout:g} s"
                    raise Mistake(f"{target} {what}; what it said:\n{said}")
                time.sleep(_EVERY)
            yield endpoint
        finally:
            _end(server)


def _environment() -> dict[str, str]:
    # What they say is for the author's own server.
    return {
        name: value for name, value in os.environ.items() if name != "PORT" and not name.startswith("MODELWRIGHT_HTTP")
    }


def _ready(endpoint: Endpoint) -> bool:
    try:
        return endpoint.get("/v2/health/ready").status == 200
    except Unreachable:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_GRACE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
