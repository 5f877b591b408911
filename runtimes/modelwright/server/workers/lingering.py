"""Connections with their last answer sent, read until the client has left: a reset could destroy the answer unread."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from typing import Final

_SECONDS: Final = 2.0
_PIECE: Final = 1 << 18


class Lingering:
    """Connections that neither side writes to any more; each ends with its client, or after two seconds."""

    def __init__(self) -> None:
        self._until: dict[socket.socket, float] = {}

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when `read` has something to do."""
        return [connection.fileno() for connection in self._until]

    def add(self, connections: Iterable[socket.socket]) -> None:
        """Take connections that do not block."""
        self._until |= dict.fromkeys(connections, time.monotonic() + _SECONDS)

    def read(self) -> None:
        """Drop what clients still send, and close the connections that are over."""
        now = time.monotonic()
        for connection in [each for each, until in self._until.items() if until <= now or not _talks(each)]:
            del self._until[connection]
            connection.close()

    def forget(self) -> None:
        """Close everything, in a process that was forked from the one that reads."""
        for connection in self._until:
            connection.close()


def _talks(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(_PIECE))
    except BlockingIOError:
        return True
    except OSError:
        return False
