"""How many requests one process takes in."""

from __future__ import annotations

import math
from time import perf_counter

from modelwright.errors import Overloaded


class Admission:
    """Counts the requests in one process, REST and gRPC alike, and refuses those past the bound."""

    def __init__(self, at_once: int, queue: int) -> None:
        self.in_flight = 0
        self._at_once = at_once
        self._bound = at_once + queue
        self._average = 0.0

    def check(self) -> None:
        """Refuse a request where `enter` would.

        Raises:
            Overloaded: as many requests wait as may; it says when to come back.

        """
        if self.in_flight >= self._bound:
            wait = max(1, math.ceil(self._average * self.in_flight / self._at_once))
            raise Overloaded("too many requests are waiting here; come back after Retry-After", retry_after=wait)

    def enter(self) -> float:
        """Let a request in and give the moment, to be handed to `leave`.

        Raises:
            Overloaded: see `check`.

        """
        self.check()
        self.in_flight += 1
        return perf_counter()

    def leave(self, entered: float) -> float:
        """Let a request out and give its duration in seconds."""
        self.in_flight -= 1
        took = perf_counter() - entered
        self._average += 0.1 * (took - self._average)
        return took
