"""A measured server's processes: started on one core, weighed, stopped by pid."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.serving.bodies import SMALL, Body, numbers, total
from tests.bench.serving.load import send
from tests.bench.serving.peers import Peer

SERVER_CORE = 0
_START = 90.0


@dataclass
class Running:
    """A server that answered its first request."""

    peer: Peer
    process: subprocess.Popen[bytes]
    http: int
    grpc: int | None
    started_in: float

    def tree(self) -> list[int]:
        """Return the pids of the process and of all that it started."""
        return descendants(self.process.pid)

    def pss_mb(self) -> float:
        """Return the memory of the whole tree in megabytes (10**6 bytes), shared pages counted once."""
        return sum(_rollup(pid, "Pss") for pid in self.tree())

    def cpu_seconds(self) -> float:
        """Return the time that the whole tree has computed for, in the program and in the kernel."""
        return sum(map(_computed, self.tree()))

    def memory_mb(self) -> float:
        """Return the resident memory of a single process, or PSS of several, in megabytes."""
        return _rollup(self.process.pid, "Rss") if len(self.tree()) == 1 else self.pss_mb()


def descendants(pid: int) -> list[int]:
    """Return a pid and those of all its children, grandchildren and so on."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _computed(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rollup(pid: int, what: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) * 1024 / 1e6


def free_port() -> int:
    """Return a port such that it and the two after it are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        if port > 65000:
            continue
        with socket.socket() as second, socket.socket() as third:
            try:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
            except OSError:
                continue
            return port


@contextmanager
def running(
    peer: Peer, *more: str, file: str = "model.py", grpc: bool = False, body: Body = SMALL
) -> Iterator[Running]:
    """Start a server on its core, wait for its first 200 to `body`, stop all its processes at the end.

    Raises:
        RuntimeError: it ended, or did not answer in time; the message has the end of its log.

    """
    with tempfile.TemporaryDirectory(prefix=f"bench-{peer.name}-") as name:
        folder, http = Path(name), free_port()
        peer.prepare(folder, http)
        port = http + 1 if grpc else None
        command = ["taskset", "-c", str(SERVER_CORE), *peer.argv(folder, http, port, file, more)]
        log = folder / "server.log"
        begun = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=peer.environment(), stdout=output, stderr=output, start_new_session=True
            )
        try:
            _first_answer(peer, process, http, log, body)
            if port:
                _listens(port)
            yield Running(peer, process, http, port, time.monotonic() - begun)
        finally:
            stop(process)


def _first_answer(peer: Peer, process: subprocess.Popen[bytes], http: int, log: Path, body: Body) -> None:
    deadline = time.monotonic() + _START
    while (answer := send(http, peer.path, body))[0] != 200:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{peer.name} did not answer: {log.read_text()[-1500:]}")
        time.sleep(0.003)
    if not any(math.isclose(number, total("small"), rel_tol=1e-5) for number in numbers(json.loads(answer[1]))):
        raise RuntimeError(f"{peer.name} answered wrongly: {answer[1][:500]!r}")


def _listens(port: int) -> None:
    """Wait for a port: gRPC may come after the first answer over REST."""
    deadline = time.monotonic() + _START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started."""
    pids = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=15)
    for pid in pids[1:]:
        # What outlived its parent; only those of our own session, as a pid may have been given out again.
        try:
            if os.getsid(pid) == process.pid:
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
