"""A request on its way in: how far it is, and how long and how much it may take."""

from __future__ import annotations

import asyncio
import fcntl
import termios
from array import array
from typing import TYPE_CHECKING, Any, Final

from modelwright.server.limits import SLOWEST_BODY

if TYPE_CHECKING:
    from modelwright.server.rest.wire.connection import Connection

_HEADER_BYTES: Final = 64 * 1024
# A timer this late was held up by the loop, and what it waits for may lie unread in the socket.
_LATE: Final = 0.25
# What the kernel tells of a socket; the second counts what the client has not acknowledged.
UNREAD: Final = termios.FIONREAD
UNSENT: Final = termios.TIOCOUTQ


def queued(transport: Any, direction: int) -> int:  # noqa: ANN401 - a transport, or what guards one
    """Give the bytes that the kernel holds for a connection, `UNREAD` or `UNSENT`."""
    count = array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), direction, count)
    return count[0]


class Arrival:
    """What is known of the request that is arriving, if one is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, header_timeout: float, body_timeout: float) -> None:
        self.under_way = self.in_headers = False
        # Of its headers, then of its body, in bytes; what came in one piece with its end is not counted.
        self.received = 0
        # Whether what is being read may have begun with the end of the request before.
        self._fresh = False
        self._loop = loop
        self._header_timeout = header_timeout
        self._body_timeout = body_timeout
        self._begun = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_body(self) -> bool:
        """Whether its headers are here and its body is not."""
        return self.under_way and not self.in_headers

    def begin(self) -> None:
        """Note its first byte."""
        self.under_way = self.in_headers = self._fresh = True
        self.received = 0

    def headers_end(self) -> None:
        """Note the end of its headers."""
        self.in_headers = False
        self.received = 0

    def end(self) -> None:
        """Note its last byte, or that nobody waits for more of it."""
        self.under_way = self.in_headers = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def watch(self, size: int, connection: Connection) -> None:
        """Count `size` bytes of a request that is not whole yet, and see that it becomes so in time."""
        # How much of a piece are the first of its headers nobody knows, where a large body came before them in it.
        if not (self._fresh and self.in_headers):
            self.received += size
        self._fresh = False
        if self.in_headers and self.received > _HEADER_BYTES:
            connection.refuse(431, f"the request's headers are larger than {_HEADER_BYTES} bytes")
        elif self._timer is None:
            self._begun = self._loop.time()
            timeout = self._header_timeout if self.in_headers else self._body_timeout
            self._timer = self._loop.call_later(timeout, self._check, self._begun + timeout, connection)

    def _check(self, due: float, connection: Connection) -> None:
        """Refuse a request that is not arriving, unless it is we who did not read."""
        self._timer = None
        if not self.under_way or connection.transport.is_closing():
            return
        now = self._loop.time()
        allowed = self._header_timeout if self.in_headers else self._body_timeout + self.received / SLOWEST_BODY
        until = self._begun + allowed
        if not connection.reads or now - due > _LATE:
            self._begun += max(_LATE, now - due)
            until = max(until, now) + _LATE
        if until > now:
            self._timer = self._loop.call_later(until - now, self._check, until, connection)
            return
        what = "headers" if self.in_headers else "body"
        connection.refuse(408, f"the request's {what} did not arrive in time")
