"""A stream between a replica's thread and whoever iterates over it: each piece is computed when it is asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any


class Feed:
    """The side of the replica's thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._given: deque[Any] = deque()
        self._asked = False
        self._over = False
        self._error: BaseException | None = None

    def wanted(self) -> bool:
        """Wait until a piece is asked for; False once nobody wants one any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._over)
            self._asked = False
            return not self._over

    def give(self, piece: object) -> None:
        """Hand over the piece that was asked for."""
        with self._changed:
            self._given.append(piece)
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """Say that no piece follows, and why where that is no orderly end."""
        with self._changed:
            self._over, self._error = True, self._error or error
            self._changed.notify_all()

    def ask(self) -> Any:  # noqa: ANN401 - the author's
        """Wait for the next piece; raises StopIteration at the end, or the error that ended the stream."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._given or self._over)
            if self._given:
                return self._given.popleft()
            if self._error is not None:
                raise self._error
            raise StopIteration


class Pieces(Iterator[Any]):
    """What a caller iterates over; to let go of it gives up what has not been computed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def __next__(self) -> Any:  # noqa: ANN401 - the author's
        return self._feed.ask()

    def close(self) -> None:
        """Give up the rest."""
        self._feed.end()

    def __del__(self) -> None:
        self.close()
