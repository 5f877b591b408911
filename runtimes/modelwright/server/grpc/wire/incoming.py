"""The request of a call: messages out of DATA as it comes, and how much more of it the client may send."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from modelwright.server.grpc.wire.messages import PREFIX, PREFIX_SIZE, Arriving, checked
from modelwright.server.grpc.wire.settings import WINDOW
from modelwright.server.grpc.wire.status import CallRefused, StatusCode

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.head import Head
    from modelwright.server.grpc.wire.streams import Streams
    from modelwright.server.grpc.wire.terms import Route


class Incoming:
    """What a call's client sends. What begins with a default below costs nothing in the calls that do not need it."""

    number: int
    head: Head
    # The request of a unary call.
    message: bytes | None = None
    half_closed = False
    # What is granted beyond the ordinary window, in bytes.
    granted = 0
    # How far it is behind the slowest that it may come, in seconds, and of how many bytes that is known; see Arrivals.
    lag = 0.0
    known = 0
    received = 0
    _streams: Streams
    _route: Route
    _ended = False
    _unread = 0
    _receive_window = WINDOW
    _arriving: Arriving | None = None
    # A stream's messages that nobody has read, and what each took on its way.
    _messages: deque[tuple[bytes, int]] | None = None
    _reader: asyncio.Future[None] | None = None

    async def read(self) -> bytes | None:
        """Give the next message of a stream; None when the client sends no more, or the server stops."""
        if self._messages is None:
            self._messages = deque()
        while not self._messages:
            if self.half_closed or self._streams.stopping:
                return None
            self._reader = self._streams.loop.create_future()
            await self._reader
        message, size = self._messages.popleft()
        self._unread -= size
        if self.granted:
            self._streams.give_back(self, self.granted - max(0, self._unread + self._receive_window - WINDOW))
        self._make_room()
        return message

    def wake(self) -> None:
        """Have the handler look again at what it waits for: a message, the end, or the server's."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def start(self) -> None:
        """Begin to work on the call, whose request is here."""
        raise NotImplementedError

    @property
    def incomplete(self) -> bool:
        """Whether a message lacks something, or a unary call its only one; a stream may be silent between two."""
        return not (self._ended or self.half_closed) and (self._arriving is not None or self._route.unary)

    @property
    def held_back(self) -> bool:
        """Whether its client may not send the rest of its message now."""
        if self._arriving is None:
            return False
        missing = PREFIX_SIZE if self._arriving.missing is None else self._arriving.missing
        return missing > self._receive_window

    def take(self, data: bytes, begin: int, end: int, weight: int, *, last: bool) -> bool:
        """Take what came of the request, which counts as `weight` bytes; false where the client may not send so much.

        Raises:
            CallRefused: it is no message, or too long.

        """
        size = end - begin
        self.received += size
        self._receive_window -= weight
        if self._receive_window < 0:
            return False
        if last and self._route.unary and size >= PREFIX_SIZE and self._arriving is None and self.message is None:
            # As nearly all come: one message in one frame.
            flag, length = PREFIX.unpack_from(data, begin)
            if flag == 0 and length == size - PREFIX_SIZE:
                checked(flag, length, self._streams.longest_request)
                self.message = data[begin + PREFIX_SIZE : end]
                self.close_half()
                return True
        self._unread += size
        self._assemble(memoryview(data)[begin:end])
        if last:
            self.close_half()
        else:
            self._make_room()
            if self._arriving is not None:
                self._streams.arrivals.expect()
        return True

    def _assemble(self, chunk: memoryview) -> None:
        while chunk:
            arriving = self._arriving
            if arriving is None:
                arriving = self._arriving = Arriving(self._streams.longest_request)
                self.lag, self.known = 0.0, self.received - len(chunk)
            chunk = arriving.take(chunk)
            if arriving.missing == 0:
                self._arriving = None
                self._deliver(arriving.whole(self.head.encoding), arriving.size)

    def _deliver(self, message: bytes, size: int) -> None:
        if not self._route.unary:
            if self._messages is None:
                self._messages = deque()
            self._messages.append((message, size))
            self.wake()
        elif self.message is None:
            self.message = message
        else:
            raise CallRefused(StatusCode.UNIMPLEMENTED, "this method takes one message, and there were more")

    def close_half(self) -> None:
        """Note that the client has sent everything.

        Raises:
            CallRefused: a message is missing, or is not whole.

        """
        self.half_closed = True
        if self._arriving is not None:
            raise CallRefused(StatusCode.INTERNAL, "the last message ends too early")
        if not self._route.unary:
            self.wake()
        elif self.message is None:
            raise CallRefused(StatusCode.UNIMPLEMENTED, "this method takes one message, and there was none")
        else:
            self.start()

    def disagrees(self, size: int) -> bool:
        """Whether the client, whose last `size` bytes these are, said another content-length."""
        return self.head.length not in (-1, self.received + size)

    def _make_room(self) -> None:
        """Have the client go on, with as much as it is known to have or as fits the ordinary window."""
        if self.half_closed or self._ended:
            return
        missing = self._arriving.missing if self._arriving else None
        if missing is not None and missing > self._receive_window:
            self._streams.grant(self, missing - self._receive_window)
        elif not self._route.unary and (room := WINDOW - self._unread - self._receive_window) >= WINDOW // 2:
            self.widen(room)

    def widen(self, size: int) -> None:
        """Let the client send `size` bytes more."""
        self._receive_window += size
        self._streams.let_send(self.number, size)
