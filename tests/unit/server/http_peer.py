"""A client of one REST connection, on a transport that goes nowhere."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from modelwright.server.arguments import Arguments
from modelwright.server.rest.wire.connection import Connection
from modelwright.server.rest.wire.request import Request
from modelwright.server.rest.wire.terms import Open, Terms
from modelwright.server.workers.guard import Guard

App = Callable[[Request], Awaitable[None]]
PATIENCE_S = 60


class Transport(asyncio.Transport):
    """What is written, in pieces as they were, and what the connection has asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.protocol: Any = None
        self.reading = True
        self.buffered = 0
        self.closed = self.aborted = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written behind the end"
        self.written.append(bytes(data))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 4711) if name == "peername" else default


class Peer:
    """Sends bytes while the connection reads; `app` answers."""

    def __init__(self, app: App, guard: Guard | None = None, transport: Transport | None = None, **flags: Any) -> None:
        self.open = Open()
        self.transport = transport or Transport()
        self.connection = Connection(Terms(app, Arguments(**flags), self.open, guard))
        self.transport.protocol = self.connection
        self.connection.connection_made(self.transport)
        self._unsent: deque[bytes] = deque()

    @property
    def received(self) -> bytes:
        return b"".join(self.transport.written)

    def send(self, *pieces: bytes) -> None:
        """Send what is read now; the rest goes as `settle` finds the connection reading again."""
        self._unsent.extend(pieces)
        while self._unsent and self.transport.reading and not self.transport.closed:
            self.connection.data_received(self._unsent.popleft())

    async def settle(self) -> None:
        """Let everything happen that can."""
        for _ in range(20):
            await asyncio.sleep(0)
            self.send()

    async def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            await asyncio.sleep(0.005)
            self.send()

    def leave(self) -> None:
        """Close the client's end."""
        self.transport.closed = True
        self.connection.connection_lost(None)


def answers(received: bytes, *, bodiless: tuple[int, ...] = ()) -> list[tuple[int, dict[str, str], bytes]]:
    """Read whole answers: status, headers and body; those of these numbers have none, as HEAD's."""
    read = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = dict(field.split(": ", 1) for field in fields)
        if len(read) in bodiless:
            body = b""
        elif "transfer-encoding" in headers:
            body, received = _unchunked(received)
        else:
            length = int(headers.get("content-length", 0))
            body, received = received[:length], received[length:]
            assert len(body) == length
        assert line.startswith("HTTP/1.1 ")
        read.append((int(line.split()[1]), headers, body))
    return read


def _unchunked(received: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        length, _, received = received.partition(b"\r\n")
        size = int(length, 16)
        body += received[:size]
        assert received[size : size + 2] == b"\r\n"
        received = received[size + 2 :]
        if size == 0:
            return body, received
