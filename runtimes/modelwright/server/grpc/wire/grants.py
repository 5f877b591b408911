"""Room for messages that are longer than the ordinary window, within what one connection may hold in all."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.incoming import Incoming

_LEAST: Final = 64 * 1024 * 1024


class Grants:
    """Bytes that calls may send beyond the ordinary window.

    A call is given what is missing of its message at once or not yet, so one that has been given something can end,
    and those that wait hold no more than the window.
    """

    __slots__ = ("_left", "_waiting")

    def __init__(self, longest: int) -> None:
        self._left = max(_LEAST, 2 * longest)
        self._waiting: deque[tuple[Incoming, int]] = deque()

    def ask(self, call: Incoming, size: int) -> None:
        """Have a call widened by `size`, now or when there is room for it."""
        if not any(each is call for each, _ in self._waiting):
            self._waiting.append((call, size))
            self._give()

    def give_back(self, call: Incoming, size: int) -> None:
        """Take back a part of what a call had, which has been read."""
        if size > 0:
            self._left += size
            call.granted -= size
            self._give()

    def forget(self, call: Incoming) -> None:
        """Take back what a call had, which has ended."""
        if not call.granted and not self._waiting:
            return
        self._left += call.granted
        call.granted = 0
        self._waiting = deque(entry for entry in self._waiting if entry[0] is not call)
        self._give()

    def _give(self) -> None:
        while self._waiting and self._waiting[0][1] <= self._left:
            call, size = self._waiting.popleft()
            self._left -= size
            call.granted += size
            call.widen(size)
