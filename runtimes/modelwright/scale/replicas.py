"""Replicas of one object: what a handle wants of them, whichever engine runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

# Makes a replica's object in the process that runs it; it travels there by cloudpickle.
Factory = Callable[[], object]


class ReplicaDied(RuntimeError):
    """A replica's process ended in the midst of a call; the message says which, how, and what became of the call."""


class ReplicaFailed(RuntimeError):
    """What a replica raised and could not be sent as it was; the message holds its type, its text and its traceback."""


class Replicas(Protocol):
    """Copies of one object, each of which does one call at a time.

    A replica that dies is replaced. The call that it was in is made once more; a second death, or one after the first
    piece of a stream, is reported by the call's future as ReplicaDied.
    """

    @property
    def count(self) -> int:
        """How many replicas there are, or are about to be."""

    def submit(self, method: str, arguments: Mapping[str, Any], *, on: int | None = None) -> Future[Any]:
        """Call `method` of a replica with keyword arguments; of the one numbered `on`, or of any that is free.

        It waits while twice as many calls as there are replicas are not done yet. The future's result is what the
        method returned; an iterator of what it yields where it is a generator. The future's exception is what the
        method raised.
        """

    def scale(self, count: int) -> None:
        """Have `count` replicas from now on; it returns when they can be called.

        Those that go finish their calls first. What a new one's constructor raises is raised, and the count stays.
        """

    def room(self) -> tuple[int, float | None]:
        """Give the bytes that more replicas can have, and the processors for all: None for those of this machine."""

    def weight(self) -> int:
        """Give the most memory that the first replica has had so far, in bytes."""

    def close(self) -> None:
        """End every replica; calls that are not done fail with ReplicaDied."""
