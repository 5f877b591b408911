"""uvicorn's HTTP protocol with what it leaves open: time and size limits on what arrives, and who has left."""

import asyncio
import fcntl
import termios
from array import array
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from modelwright.server.arguments import Arguments
from modelwright.server.caller import Caller
from modelwright.server.rest.asgi import Headers
from modelwright.server.rest.replies import to_json

_HEADER_BYTES = 64 * 1024
# A body may come this slowly, in bytes a second, once the body timeout is used up.
_SLOWEST = 16 * 1024
# How much of a body may still come once its request has been answered.
_UNREAD_BYTES = 16 * 1024 * 1024
# Up to here, copying a body behind its headers is cheaper than a second write.
_SMALL = 64 * 1024
# A timer this late was held up by the loop, and what it waits for may lie unread in the socket.
_LATE = 0.25
# What the kernel tells of a socket; the second counts what the client has not acknowledged.
_UNREAD, _UNSENT = termios.FIONREAD, termios.TIOCOUTQ


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self, config: Config, server_state: ServerState, loop: asyncio.AbstractEventLoop, arguments: Arguments
    ) -> None:
        super().__init__(config, server_state, {}, loop)
        self._header_timeout = arguments.header_timeout
        self._body_timeout = arguments.body_timeout
        self._arriving = False
        self._in_headers = False
        self._received = 0
        self._begun = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether there is somebody to read from; under TLS only after the handshake."""
        return self.transport is not None

    @property
    def idle(self) -> bool:
        """Whether no request is arriving, in work, or waiting unread in the socket."""
        if self._arriving or (self.cycle is not None and not self.cycle.response_complete):
            return False
        return self._queued(_UNREAD) == 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; one that never sends anything is closed like an idle one."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a request that came whole, as nearly all do, needs no timer."""
        super().data_received(data)
        if self._arriving and not self.transport.is_closing():
            self._watch(len(data))

    def shutdown(self) -> None:
        """Close the connection; called again, under TLS, give up on a client that has all but does not say goodbye."""
        if self.transport.is_closing() and not self.transport.get_write_buffer_size() and not self._queued(_UNSENT):
            self.transport.abort()
        else:
            super().shutdown()

    def _queued(self, direction: int) -> int:
        """Give the bytes that the kernel holds for the connection."""
        count = array("i", [0])
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), direction, count)
        return count[0]

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self._arriving = self._in_headers = True
        self._received = 0

    def on_headers_complete(self) -> None:
        """Hand the request to the application, with its caller."""
        # A mapping in ASGI, a TypedDict to uvicorn, which does not know our key.
        scope: Any = self.scope
        scope["caller"] = Caller(self.headers)
        self._in_headers = False
        self._received = 0
        super().on_headers_complete()
        # For `write_answer`, and for that one use: a cycle that stayed in its scope would be garbage in a ring.
        scope["cycle"] = self.cycle

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._arriving = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the callers that wait on this connection's requests."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)
        for cycle in (self.cycle, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                scope: Any = cycle.scope
                scope["caller"].leave()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the form of the other errors."""
        self._refuse(400, msg)

    def _watch(self, size: int) -> None:
        self._received += size
        if self._in_headers and self._received > _HEADER_BYTES:
            self._refuse(431, f"the request's headers are larger than {_HEADER_BYTES} bytes")
            return
        if not self._in_headers and self.cycle.response_complete and self._received > _UNREAD_BYTES:
            self.transport.close()
            return
        if self._timer is None:
            self._begun = self.loop.time()
            timeout = self._header_timeout if self._in_headers else self._body_timeout
            self._timer = self.loop.call_later(timeout, self._check, self._begun + timeout)

    def _check(self, due: float) -> None:
        """Refuse a request that is not arriving, unless it is we who did not read."""
        self._timer = None
        now = self.loop.time()
        if not self._arriving or self.transport.is_closing():
            return
        allowed = self._header_timeout if self._in_headers else self._body_timeout + self._received / _SLOWEST
        until = self._begun + allowed
        if self.flow.read_paused or now - due > _LATE:
            self._begun += max(_LATE, now - due)
            until = max(until, now) + _LATE
        if until > now:
            self._timer = self.loop.call_later(until - now, self._check, until)
            return
        what = "headers" if self._in_headers else "body"
        self._refuse(408, f"the request's {what} did not arrive in time")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in the application's stead and close; an answer that has begun is cut off instead."""
        self._arriving = False
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = to_json({"error": message})
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def write_answer(cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes, *, close: bool) -> bool:
    """Write a whole small answer in one piece, without ASGI's two messages and their checks; give whether it was.

    The headers must be fit for HTTP already. It is not for large bodies, nor while the client does not read.
    """
    if cycle.flow.write_paused or len(body) > _SMALL or cycle.scope["method"] == "HEAD":
        return False
    if cycle.disconnected:
        return True
    cycle.keep_alive = cycle.keep_alive and not close
    parts = [STATUS_LINE[status]]
    for name, value in (*cycle.default_headers, *headers):
        parts += (name, b": ", value, b"\r\n")
    if not cycle.keep_alive:
        parts.append(b"connection: close\r\n")
    parts += (b"content-length: %d\r\n\r\n" % len(body), body)
    cycle.transport.write(b"".join(parts))
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
