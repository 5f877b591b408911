"""One replica's process, as its starter sees it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelwright.scale import memory
from modelwright.scale.arena import offered
from modelwright.scale.frames import Channel
from modelwright.scale.replica import RAISED

# How many replicas are around this process, each started by the one before.
_DEPTH: Final = "MODELWRIGHT_REPLICA_DEPTH"
_DEEPEST: Final = 3
# A new interpreter and no fork: the starter may have threads or a GPU, which a fork does not survive. And not
# multiprocessing's own spawn, which runs the author's script once more, up to where it makes its replicas.
_START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[3])
from modelwright.scale import replica
replica.main(sys.argv[1:])
"""
# How libraries are told not to take every core for each replica.
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Seconds; what is idle ends at once.
_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Launch:
    """An interpreter for replicas: the words that run `replica.main`, the author's folders, and the environment."""

    command: tuple[str, ...]
    folders: tuple[str, ...]
    environment: Mapping[str, str]

    @staticmethod
    def here() -> Launch:
        """Describe this process's own interpreter, with its `sys.path`."""
        return Launch((sys.executable, "-c", _START), tuple(sys.path), dict(os.environ))


class ReplicaProcess:
    """A process with one object, made by `factory`, pickled; it does one call at a time.

    Raises RuntimeError in a replica of a replica of a replica: a file that starts them at import would never end.
    """

    def __init__(self, factory: bytes, threads: int, launch: Launch | None = None) -> None:
        depth = int(os.environ.get(_DEPTH, "0"))
        if depth >= _DEEPEST:
            raise RuntimeError(
                f"replicas that start replicas, {depth} deep: the file of their class starts some whenever it is "
                "imported; put that below `if __name__ == '__main__':`"
            )
        launch = launch or Launch.here()
        limits = {name: str(threads) for name in _THREADS if threads and name not in os.environ}
        ours, theirs = socket.socketpair()
        with theirs, offered() as (arenas, shared):
            told = [str(theirs.fileno()), json.dumps(shared), json.dumps(launch.folders)]
            self._process = subprocess.Popen(
                [*launch.command, *told],
                pass_fds=[theirs.fileno(), *shared],
                stdin=subprocess.DEVNULL,
                env={**launch.environment, **limits, _DEPTH: str(depth + 1)},
            )
        self._channel = Channel(ours, arenas)
        try:
            self._channel.send(factory)
            kind, value = self._channel.receive()
        except BaseException:
            self.close()
            raise
        if kind == RAISED:
            self.close()
            raise value

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def call(self, method: str, arguments: Mapping[str, Any]) -> tuple[str, Any]:
        """Call a method; give the kind of the answer, see `replica`, and its value.

        Raises:
            Closed: the process ended before it answered.
            Exception: what pickling raises for an argument that cannot be; the replica knows nothing of the call.

        """
        self._channel.send([method, dict(arguments)])
        return self._answer()

    def more(self) -> tuple[str, Any]:
        """Ask for the next piece of the stream that `call` began; raises Closed as `call` does."""
        self._channel.send(True)
        return self._answer()

    def enough(self) -> None:
        """Say that no further piece of the stream is wanted."""
        self._channel.send(False)

    def weight(self) -> int:
        """Give the most memory that the process has had, in bytes."""
        return memory.peak(self.pid)

    def close(self) -> None:
        """End the process, even in the midst of a call."""
        self._channel.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ended(self) -> str:
        """Say how the process ended, once its channel is closed."""
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _answer(self) -> tuple[str, Any]:
        kind, value = self._channel.receive()
        return kind, value
