"""A queue of keys between events and workers.

A key stands for "look at this object again", so adding it twice is adding it once. One worker holds a key at
a time; what is added meanwhile waits for that worker to finish. A key that fails comes back after an
exponential delay of its own and delays no other. Clock, sleep and random are injected, so tests need no
waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class RetryLater(Exception):
    """Work that could not be done now, for a reason that the message gives; it is tried again after the backoff."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays after failures: ``first * 2**n`` seconds up to ``most``, each shortened by up to ``jitter`` of itself."""

    first: float = 0.2
    most: float = 60.0
    jitter: float = 0.3

    def delay(self, failures: int, chance: float) -> float:
        """Return the delay after this many failures in a row; ``chance`` is in [0, 1)."""
        whole = self.most if failures > 30 else min(self.most, self.first * 2.0 ** (failures - 1))
        return whole * (1.0 - self.jitter * chance)


class KeyedQueue(Generic[K]):
    """Deduplicating queue of keys, with delays.

    Args:
        clock: monotonic seconds; the event loop's own by default.
        chance: a random number in [0, 1), for jitter.
        backoff: the delays after failures.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random.random,
        backoff: Backoff | None = None,
    ) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._chance = chance
        self._backoff = backoff or Backoff()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._in_flight: set[K] = set()
        self._failures: dict[K, int] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due)

    @property
    def in_flight(self) -> frozenset[K]:
        """The keys that workers hold now."""
        return frozenset(self._in_flight)

    def add(self, key: K, *, after: float = 0.0) -> None:
        """Ask for a key to be worked on in ``after`` seconds; the earliest of several asks counts."""
        due = self._clock() + after
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        if key not in self._in_flight:
            self._push(key, due)

    def forget(self, key: K) -> None:
        """Drop a key and its failures: its object is gone."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    def take(self) -> K | None:
        """Return a key that is due, now held by the caller until `done`, or None."""
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due and key not in self._in_flight:
                del self._due[key]
                self._in_flight.add(key)
                return key
        return None

    def done(self, key: K, *, failed: bool = False, again: float | None = None) -> None:
        """Give a key back.

        Args:
            key: what `take` returned.
            failed: ask for it again after the backoff.
            again: ask for it again after this many seconds.
        """
        self._in_flight.discard(key)
        if key in self._due:
            self._push(key, self._due[key])
        if failed:
            self._failures[key] = self._failures.get(key, 0) + 1
            self.add(key, after=self._backoff.delay(self._failures[key], self._chance()))
            return
        self._failures.pop(key, None)
        if again is not None:
            self.add(key, after=again)

    def next_due(self) -> float | None:
        """Return the seconds until a key is due, or None when nothing waits."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due and key not in self._in_flight:
                return max(0.0, due - self._clock())
            heapq.heappop(self._heap)
        return None

    async def run(self, work: Callable[[K], Awaitable[float | None]], *, workers: int, gate: asyncio.Event) -> None:
        """Work keys off until cancelled, at most ``workers`` at a time, and only while ``gate`` is set.

        ``work`` returns the seconds after which it wants its key again, or None. What it raises is logged and
        retried.
        """
        async with asyncio.TaskGroup() as group:
            free = asyncio.Semaphore(workers)
            while True:
                await gate.wait()
                await free.acquire()
                key = await self._await_key()
                if gate.is_set():
                    group.create_task(self._work(work, key, free))
                else:
                    self.done(key, again=0.0)
                    free.release()

    async def _await_key(self) -> K:
        while True:
            self._changed.clear()
            key = self.take()
            if key is not None:
                return key
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with a key.
                async with asyncio.timeout(self.next_due()):
                    await self._changed.wait()

    async def _work(self, work: Callable[[K], Awaitable[float | None]], key: K, free: asyncio.Semaphore) -> None:
        try:
            again = await work(key)
        except asyncio.CancelledError:
            self.done(key)
            raise
        except RetryLater as error:
            self.done(key, failed=True)
            logger.warning("%s: %s", key, error)
        except Exception:
            self.done(key, failed=True)
            logger.exception("%s: failed, will be tried again", key)
        else:
            self.done(key, again=again)
        finally:
            free.release()

    def _push(self, key: K, due: float) -> None:
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._changed.set()
