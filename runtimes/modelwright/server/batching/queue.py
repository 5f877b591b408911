"""Which of the waiting requests are to be answered together, and when: decisions only, the time is an argument.

A request that finds the model idle starts at once. What comes while it works is collected, and starts when the model
is done, when there is enough of it to fill a batch, or when it has been held for long enough. See ADR 0014.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

# Seconds; uvloop's timers know nothing shorter.
_MEASURABLE = 0.001


class Waiting(Protocol):
    """A request in the queue."""

    @property
    def kind(self) -> Hashable:
        """What it has to share with another to be answered in one call with it."""

    @property
    def rows(self) -> int:
        """Its part of a batch's size."""


Item = TypeVar("Item", bound=Waiting)


@dataclass(slots=True)
class _Group(Generic[Item]):
    """Requests of one kind, in the order of their arrival; `until` is when they are held no longer."""

    items: deque[Item] = field(default_factory=deque)
    rows: int = 0
    until: float | None = None


class BatchQueue(Generic[Item]):
    """Waiting requests by kind. `limit` is a batch's rows, `window` the seconds that a request may be held."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._hold = window
        self._groups: dict[Hashable, _Group[Item]] = {}
        self._last: tuple[Hashable, int] = (None, 1)
        self._idle_since = 0.0

    def __bool__(self) -> bool:
        return bool(self._groups)

    @property
    def due(self) -> float | None:
        """When to ask `take` again, if nothing else happens before."""
        return min((group.until for group in self._groups.values() if group.until is not None), default=None)

    def put(self, item: Item) -> None:
        """Add a request of fewer rows than a batch has."""
        group = self._groups.setdefault(item.kind, _Group())
        group.items.append(item)
        group.rows += item.rows

    def drop(self, item: Item) -> None:
        """Take out a request that nobody waits for any more."""
        group = self._groups[item.kind]
        group.items.remove(item)
        group.rows -= item.rows
        if not group.items:
            del self._groups[item.kind]

    def finished(self, now: float, seconds: float, *, idle: bool) -> None:
        """Learn that a call of the model has ended after so many seconds, the last one in work if `idle`."""
        # To wait longer than a call takes cannot pay: what comes later can have the next call.
        self._hold = min(self._window, seconds) if seconds >= _MEASURABLE else 0.0
        if idle:
            self._idle_since = now

    def take(self, now: float, *, idle: bool) -> list[Item]:
        """Return the requests to start now, of the kind that was served longest ago first; none where none is due.

        To be asked only while the model can take a call; `idle` says that it is at none.
        """
        for kind, group in self._groups.items():
            if group.until is None:
                # What a request waits for a busy model is no choice of ours and does not count.
                group.until = now + self._hold
            enough = group.rows >= self._limit or (idle and len(group.items) >= self._expected(kind, now))
            if enough or now >= group.until:
                return self._cut(kind, group)
        return []

    def _expected(self, kind: Hashable, now: float) -> int:
        """Return how many requests to wait for: callers that were answered together tend to come back together."""
        last, size = self._last
        return size if last == kind and now - self._idle_since <= self._hold else 1

    def _cut(self, kind: Hashable, group: _Group[Item]) -> list[Item]:
        del self._groups[kind]
        rows, taken = 0, []
        while group.items and rows + group.items[0].rows <= self._limit:
            taken.append(group.items.popleft())
            rows += taken[-1].rows
        if group.items:
            # Behind the other kinds, so that none of them starves.
            group.rows -= rows
            group.until = None
            self._groups[kind] = group
        self._last = (kind, len(taken))
        return taken
