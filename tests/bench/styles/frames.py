"""Arrays to another process and back: through shared memory beside through the socket, in one run.

To a replica's process, and to a model's own environment's; the round trip of one call that returns what it is given.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from modelwright.environments import child, messages, sharing
from modelwright.environments.connection import Connection
from modelwright.model import Model, ModelMetadata
from modelwright.scale import arena
from modelwright.scale.processes import Processes
from modelwright.tensors import InferenceRequest, InferenceResponse, Tensor

from tests.bench.serving.peers import say

SIZES = (16 * 1024, 64 * 1024, 128 * 1024, 600 * 1024, 4 * 1024**2, 16 * 1024**2)
_BYTES = 64 * 1024**2
_ROUNDS = 3


class Echo(Model):
    """As a replica's object and as a model of an environment."""

    name, ready = "echo", True

    def echo(self, x: np.ndarray) -> np.ndarray:
        return x

    def metadata(self) -> ModelMetadata:
        return ModelMetadata("echo")

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        return InferenceResponse("echo", request.inputs)


@dataclass
class Pair:
    """Seconds of a round trip: by the socket, and by shared memory."""

    socket: float = 9e9
    shared: float = 9e9

    @property
    def faster(self) -> float:
        return self.socket / self.shared


Trip = Callable[[np.ndarray], None]


def replicas() -> dict[int, Pair]:
    """Return the round trips to a replica's process, by bytes."""
    with _replica() as shared, _without_arenas(), _replica() as plain:
        return _timed("replica", plain, shared)


def environments() -> dict[int, Pair]:
    """Return the round trips to a model's own process, by bytes."""
    with _environment() as shared, _without_arenas(), _environment() as plain:
        return _timed("environment", plain, shared)


def _timed(name: str, plain: Trip, shared: Trip) -> dict[int, Pair]:
    found = {size: Pair() for size in SIZES}
    # Whatever its size: where the threshold belongs is what these figures tell.
    with patch.object(arena, "SHARED", 1):
        for size, pair in found.items():
            array = np.ones(size // 4, np.float32)
            count = min(200, max(4, _BYTES // size))
            for _ in range(_ROUNDS):
                pair.socket = min(pair.socket, _seconds(plain, array, count))
                pair.shared = min(pair.shared, _seconds(shared, array, count))
            say(f"frames: {name}, {size // 1024} KiB: {pair.socket * 1e6:.0f} and {pair.shared * 1e6:.0f} us")
    return found


def _seconds(trip: Trip, array: np.ndarray, count: int) -> float:
    trip(array)
    begun = time.perf_counter()
    for _ in range(count):
        trip(array)
    return (time.perf_counter() - begun) / count


def _refused() -> int:
    raise PermissionError("measured without")


@contextmanager
def _without_arenas() -> Iterator[None]:
    with patch.object(arena, "create", _refused):
        yield


@contextmanager
def _replica() -> Iterator[Trip]:
    made = Processes(_SharingAll)

    def trip(array: np.ndarray) -> None:
        made.submit("echo", {"x": array}).result()

    try:
        yield trip
    finally:
        made.close()


class _SharingAll(Echo):
    def __init__(self) -> None:
        arena.SHARED = 1  # type: ignore[misc]


@contextmanager
def _environment() -> Iterator[Trip]:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX) as listening,
        asyncio.Runner() as runner,
    ):
        address = str(Path(folder) / "model")
        listening.bind(address)
        listening.listen()
        pid = os.fork()
        if not pid:
            arena.SHARED = 1  # type: ignore[misc]
            asyncio.run(_answer(listening))
            os._exit(0)
        connection = runner.run(Connection.open(address))
        try:
            yield lambda array: runner.run(_asked(connection, array))
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


async def _answer(listening: socket.socket) -> None:
    answering = partial(child.Answering, Echo(), child.Threads())
    await sharing.accept(listening, lambda arenas: answering(arenas).wire)


async def _asked(connection: Connection, array: np.ndarray) -> None:
    request = InferenceRequest("echo", [Tensor("x", "FP32", array.shape, array)])
    await connection.ask("infer", messages.from_request(request))
