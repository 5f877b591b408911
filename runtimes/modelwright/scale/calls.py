"""Calls on their way to replicas."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from modelwright.scale.replicas import ReplicaDied

_CLOSED = "the replicas have been closed"


@dataclass(eq=False, slots=True)
class Call:
    """One call of a method; `on` is the number of the replica that is to do it, `deaths` of replicas that began it."""

    method: str
    arguments: Mapping[str, Any]
    on: int | None = None
    deaths: int = 0
    future: Future[Any] = field(default_factory=Future)


class Calls:
    """What waits and how much is not done, for the threads of the replicas and whoever submits."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque()
        self._undone = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, call: Call, most: Callable[[], int]) -> None:
        """Take a call in, once fewer than `most()` are not done.

        Raises:
            ReplicaDied: closed, before or meanwhile.

        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._undone < most())
            if self._closed:
                raise ReplicaDied(_CLOSED)
            self._undone += 1
            self._waiting.append(call)
            self._changed.notify_all()

    def take(self, number: int, ends: Callable[[], bool]) -> Call | None:
        """Wait for a call that replica `number` may do; None once it `ends`, or all are closed."""
        with self._changed:
            while not (self._closed or ends()):
                for call in self._waiting:
                    if call.on in (None, number):
                        self._waiting.remove(call)
                        return call
                self._changed.wait()
        return None

    def again(self, call: Call) -> None:
        """Have a call done once more, before all others."""
        with self._changed:
            if not self._closed:
                self._waiting.appendleft(call)
                self._changed.notify_all()
                return
        self.done()
        call.future.set_exception(ReplicaDied(_CLOSED))

    def done(self) -> None:
        """Count one call as done."""
        with self._changed:
            self._undone -= 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Have everybody that waits look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing in any more; calls that wait fail with ReplicaDied."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._undone -= len(waiting)
            self._changed.notify_all()
        for call in waiting:
            # A retried one runs already as far as its future knows.
            if call.deaths or call.future.set_running_or_notify_cancel():
                call.future.set_exception(ReplicaDied(_CLOSED))
