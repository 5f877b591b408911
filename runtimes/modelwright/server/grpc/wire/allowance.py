"""How often a client may do what costs us more than it."""

from __future__ import annotations

from modelwright.server.grpc.wire.frames import ENHANCE_YOUR_CALM, ConnectionFailed


class Allowance:
    """So many at once, and so many a second after that; `what` is told to a client that wants more."""

    __slots__ = ("_at", "_left", "_most", "_per_second", "_what")

    def __init__(self, most: int, per_second: int, what: str) -> None:
        self._left = float(most)
        self._most = float(most)
        self._per_second = per_second
        self._what = what
        self._at = 0.0

    def spend(self, now: float) -> None:
        """Take one; `now` is any clock's seconds.

        Raises:
            ConnectionFailed: there is none left.

        """
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            raise ConnectionFailed(ENHANCE_YOUR_CALM, f"too many {self._what}")
        self._left -= 1
