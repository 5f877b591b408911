"""Keeps two controllers that want different things of one object from writing in turns for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from modelwright_operator.cluster.cache import Key, ObjectId


class Contest:
    """Counts how often an object had to be corrected.

    Args:
        clock: monotonic seconds.
        limit: corrections within the period after which the object is contested: left alone until the period is over.
        period: seconds.
    """

    def __init__(self, clock: Callable[[], float], *, limit: int = 10, period: float = 60.0) -> None:
        self._clock, self._limit, self._period = clock, limit, period
        self._corrected: dict[tuple[Key, ObjectId], deque[float]] = {}

    def admits(self, key: Key, oid: ObjectId) -> bool:
        """Say whether an object may be corrected now, and count it if so."""
        now = self._clock()
        times = self._corrected.setdefault((key, oid), deque())
        while times and now - times[0] >= self._period:
            times.popleft()
        if len(times) >= self._limit:
            return False
        times.append(now)
        return True

    def forget(self, key: Key) -> None:
        """Forget a service that is gone."""
        for known in [known for known in self._corrected if known[0] == key]:
            del self._corrected[known]
