"""Replicas as processes of this machine: a thread of the starter's for each, and one queue of calls for all."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import cloudpickle  # type: ignore[import-untyped]

from modelwright.scale import memory
from modelwright.scale.calls import Call, Calls
from modelwright.scale.process import Launch
from modelwright.scale.replicas import Factory, ReplicaDied
from modelwright.scale.worker import Worker


class Processes:
    """`replicas.Replicas` of what `factory` makes, each in a process of its own.

    They are the process's that made them: one forked from it has to make its own. They end with it, or with the last
    reference to this object. `launch` is their interpreter, where it is not this one.
    """

    def __init__(self, factory: Factory, count: int = 1, launch: Launch | None = None) -> None:
        # Here and not in a thread of a replica: a module that is being imported is this thread's alone.
        self._factory = cloudpickle.dumps(factory)
        self._launch = launch
        self._calls = Calls()
        self._workers: list[Worker] = []
        self._owner = os.getpid()
        self._close = weakref.finalize(self, _close, self._calls, self._workers, self._owner)
        self.scale(count)

    @property
    def count(self) -> int:
        """How many replicas there are."""
        return len(self._workers)

    @property
    def pids(self) -> list[int]:
        """The replicas' processes by the replicas' numbers; 0 for one that is being replaced."""
        return [worker.pid for worker in self._workers]

    def submit(self, method: str, arguments: Mapping[str, Any], *, on: int | None = None) -> Future[Any]:
        """See `Replicas.submit`; raises ReplicaDied once they are closed."""
        self._check_owner()
        call = Call(method, arguments, on)
        self._calls.put(call, lambda: 2 * len(self._workers))
        return call.future

    def scale(self, count: int) -> None:
        """See `Replicas.scale`; raises ValueError for less than one."""
        self._check_owner()
        if count < 1:
            raise ValueError(f"{count} replicas cannot answer; at least 1 is needed")
        # Each library would take every core for each replica.
        threads = max(1, len(os.sched_getaffinity(0)) // count) if count > 1 else 0
        more = [
            Worker(self._calls, self._factory, number, threads, self._launch) for number in range(self.count, count)
        ]
        try:
            for worker in more:
                worker.started.result()
        except BaseException:
            for worker in more:
                worker.stop()
            raise
        fewer = self._workers[count:]
        self._workers[count:] = more
        self._calls.wake()
        for worker in fewer:
            worker.finish()
        for worker in fewer:
            worker.join()

    def room(self) -> tuple[int, float | None]:
        """See `Replicas.room`."""
        return memory.available(), None

    def weight(self) -> int:
        """See `Replicas.weight`."""
        return self._workers[0].weight()

    def close(self) -> None:
        """See `Replicas.close`."""
        self._close()

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise ReplicaDied("these replicas are those of the process that this one was forked from; make others here")


def _close(calls: Calls, workers: list[Worker], owner: int) -> None:
    if os.getpid() != owner:
        return
    calls.close()
    for worker in workers:
        worker.stop()
    workers.clear()
