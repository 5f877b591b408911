"""One connection of HTTP/1.1, on the event loop: requests one after the other, however they are cut and sent ahead."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from httptools import HttpParserError

from modelwright.server import log
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.routes import shown
from modelwright.server.rest.wire.arrival import UNREAD, UNSENT, Arrival, queued
from modelwright.server.rest.wire.guarding import Guarding
from modelwright.server.rest.wire.heads import CLOSE, JSON
from modelwright.server.rest.wire.reader import Reader
from modelwright.server.rest.wire.request import Request
from modelwright.server.rest.wire.terms import Coming, Terms

# How much may come of what nobody wants any more. And for how long, in seconds, on a connection that is about to end:
# closing one whose data is unread resets it, and the reset can overtake the answer.
_UNWANTED: Final = 16 * 1024 * 1024
_LINGER: Final = 1.0
_FAILED: Final = to_json({"error": "the server failed on this request; its log has the reason"})


class Connection:
    """The transport's side of a connection, an asyncio.Protocol but for that base, and the order of its answers."""

    def __init__(self, terms: Terms) -> None:
        arguments = terms.arguments
        self.loop = asyncio.get_running_loop()
        self.heads = terms.open.heads
        # None until the TLS handshake, if any, is over.
        self.transport: Any = None
        self._coming: Coming | None = Coming()
        terms.open.coming.add(self._coming)
        self.client: tuple[str, int] | None = None
        self.scheme = "http"
        # Whether we read what the client sends, and whether it does not read what it is sent.
        self.reads, self.blocked = True, False
        self._application, self._guard = terms.application, terms.guard
        self._connections, self._tasks = terms.open.connections, terms.open.tasks
        self._patience: float = arguments.timeout_keep_alive
        self._guarding: Guarding | None = None
        self._arrival = Arrival(self.loop, arguments.header_timeout, arguments.body_timeout)
        # The request in work, those that were sent behind it, and the last of them all, which may have its answer.
        self.current: Request | None = None
        self._behind: deque[Request] = deque()
        self.latest: Request | None = None
        # What is told, behind the answers, to whoever sent what is no request.
        self._refusal: tuple[int, str] | None = None
        # Whether nothing that comes is read as HTTP any more, and whether the connection is about to end.
        self.deaf = self._lingering = False
        self._unwanted = 0
        self._idle_since = 0.0
        self._rooms: list[asyncio.Future[None]] = []
        self._reader = Reader(self, self._arrival)

    @property
    def busy(self) -> bool:
        """Whether a request is arriving or in work, or the connection about to end."""
        return self._arrival.under_way or self.current is not None or self._lingering

    @property
    def idle(self) -> bool:
        """Whether it is not busy, nor will be with what waits unread in the socket."""
        return not self.busy and queued(self.transport, UNREAD) == 0

    def shutdown(self) -> None:
        """Close an idle connection; called again, under TLS, give up on who has all but does not say goodbye."""
        transport = self.transport
        if transport.is_closing() and not transport.get_write_buffer_size() and not queued(transport, UNSENT):
            transport.abort()
        else:
            transport.close()

    # What the transport calls.

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvloop's are of no class of asyncio's
        """Take a connection; one that never sends anything is closed like an idle one."""
        self.transport = transport
        self._coming = None
        if self._guard is not None:
            self._guarding = Guarding(transport, self._guard, self.loop)
            self.transport = self._guarding.transport
        name = transport.get_extra_info("peername")
        self.client = (str(name[0]), int(name[1])) if name else None
        if transport.get_extra_info("sslcontext") is not None:
            self.scheme = "https"
        self._connections.add(self)
        self._idle_since = self.loop.time()
        self._timer = self.loop.call_later(self._patience, self._look)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        if self.deaf:
            self.overlook(len(data))
            return
        try:
            self._reader.feed(data)
        except HttpParserError:
            self.refuse(400, "Invalid HTTP request received.")
            return
        # A request that came whole, as nearly all do, needs no clock.
        if self._arrival.under_way and not self._lingering:
            self._arrival.watch(len(data), self)

    def eof_received(self) -> None:
        """Have a connection that its client has closed, if only one way, be closed."""

    def pause_writing(self) -> None:
        """Hold answers back from a client that does not read."""
        self.blocked = True

    def resume_writing(self) -> None:
        """Answer on."""
        self.blocked = False
        for room in self._rooms:
            if not room.done():
                room.set_result(None)
        self._rooms.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the callers that wait on this connection's requests."""
        self.deaf = True
        self._connections.discard(self)
        self._timer.cancel()
        self._arrival.end()
        if self._guarding is not None:
            self._guarding.lost()
        waiting = [*([self.current] if self.current is not None else []), *self._behind]
        self.current = None
        self._behind.clear()
        for request in waiting:
            request.give_up()
        self.resume_writing()
        # They know each other: without this the connection would wait for the collector.
        self._reader.close()

    def _look(self) -> None:
        """Close a connection on which nothing has happened for long."""
        left = self._patience
        if self.current is None and not self._arrival.under_way:
            left += self._idle_since - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
        else:
            self.transport.close()

    # What the reader calls.

    def begins(self) -> bool:
        """Note that a request begins to arrive, and give whether it counts."""
        latest = self.latest
        if latest is not None and not latest.stays:
            self.deaf = True
            return False
        if self._guarding is not None:
            self._guarding.begins(None if latest is None or latest.ended else latest)
        return True

    def take(self, request: Request) -> None:
        """Begin to work on a request whose headers are here, or have it wait for those before it."""
        self.latest = request
        if self.current is None:
            self._start(request)
        else:
            self._behind.append(request)
            self.pause_reading()

    def overlook(self, size: int) -> None:
        """Count what nobody wants any more."""
        self._unwanted += size
        if self._unwanted > _UNWANTED:
            self.transport.close()

    def whole(self, request: Request) -> None:
        """Note that all of a request is here."""
        self._unwanted = 0
        request.close_half()
        if self._lingering:
            self.transport.close()

    # What requests call, and the clock that watches them arrive.

    def answered(self, request: Request) -> None:
        """Go on behind an answer."""
        self.current = None
        if self.transport.is_closing():
            return
        if not request.stays:
            if request.whole:
                self.transport.close()
            else:
                self._linger()
            return
        following = None
        if self._behind:
            following = self._behind.popleft()
            self._start(following)
        elif self._refusal is not None:
            self._refuse_now(*self._refusal)
            return
        if not self._behind:
            self.resume_reading()
        self._idle_since = self.loop.time()
        if request.followed and self._guarding is not None:
            self._guarding.answered(following)

    def refuse(self, status: int, message: str) -> None:
        """Refuse what is arriving, behind the answers to all before it, and end the connection."""
        latest = self.latest if self._arrival.in_body else None
        self._arrival.end()
        self.deaf = True
        if latest is not None and latest.ended:
            self._linger()
            return
        if latest is not None and latest is self.current:
            self.current = None
            latest.give_up()
            if latest.begun:
                latest.cut()
                return
        elif latest is not None:
            self._behind.pop()
        if self.current is None:
            self._refuse_now(status, message)
        else:
            self._refusal = (status, message)

    def pause_reading(self) -> None:
        """Read no more for the time being."""
        if self.reads:
            self.reads = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self.reads:
            self.reads = True
            self.transport.resume_reading()

    async def room(self) -> None:
        """Wait until the client reads, or is gone."""
        if self.blocked:
            room = self.loop.create_future()
            self._rooms.append(room)
            await room

    def _start(self, request: Request) -> None:
        self.current = request
        request.task = self.loop.create_task(self._run(request))
        self._tasks.add(request.task)

    async def _run(self, request: Request) -> None:
        """Have a request answered, whatever happens."""
        try:
            await self._application(request)
        except BaseException:
            log.LOGGER.exception("%s failed", shown(request.path))
            if not request.begun:
                request.answer(500, [JSON], _FAILED, close=True)
        task, request.task = request.task, None
        if task is not None:
            self._tasks.discard(task)
        if not request.ended and not request.gone:
            request.cut()

    def _refuse_now(self, status: int, message: str) -> None:
        body = to_json({"error": message})
        self.transport.write(self.heads.of(status, [JSON, CLOSE], len(body)) + body)
        self._linger()

    def _linger(self) -> None:
        """End the connection once the client has sent what it began, or soon."""
        self._lingering = True
        self._arrival.end()
        self.resume_reading()
        self._timer.cancel()
        self._timer = self.loop.call_later(_LINGER, self.transport.close)
