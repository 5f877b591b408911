"""The calls of one connection, by their streams: what frames do to them, and what they ask of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from modelwright.errors import TooLarge
from modelwright.server.grpc.wire import frames, settings
from modelwright.server.grpc.wire.allowance import Allowance
from modelwright.server.grpc.wire.arrivals import Arrivals
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.fields import HeaderBlocks, encoded
from modelwright.server.grpc.wire.frames import (
    CANCEL,
    FLOW_CONTROL_ERROR,
    LARGEST,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
    ConnectionFailed,
)
from modelwright.server.grpc.wire.grants import Grants
from modelwright.server.grpc.wire.head import Head, refused
from modelwright.server.grpc.wire.incoming import Incoming
from modelwright.server.grpc.wire.messages import ENCODINGS
from modelwright.server.grpc.wire.outlet import Outlet
from modelwright.server.grpc.wire.status import CallRefused, StatusCode
from modelwright.server.grpc.wire.terms import Route, Terms

# Bytes after which the connection's window is opened again.
_STEP: Final = settings.CONNECTION_WINDOW // 4
# Streams that the server ended early, on which a client may not know it yet.
_REMEMBERED: Final = 2 * settings.STREAMS
_DRAINED: Final = b"drained?"


class Streams:
    """Has a client's calls answered; `drained` is called when no call is left and none may come."""

    def __init__(
        self, terms: Terms, outlet: Outlet, loop: asyncio.AbstractEventLoop, drained: Callable[[], None]
    ) -> None:
        self.loop = loop
        self.longest_request = terms.longest_request
        self.stopping = False
        # The last stream that was begun; none above the limit is any more.
        self.last = 0
        self._limit = LARGEST
        self._terms = terms
        self._outlet = outlet
        self._drained = drained
        self._calls: dict[int, Call] = {}
        self._blocks = HeaderBlocks()
        self._grants = Grants(terms.longest_request)
        self.arrivals = Arrivals(self._calls, loop, terms.body_timeout)
        # What has been received since the connection's window was last opened.
        self._taken = 0
        self._over: dict[int, None] = {}
        self._resets = Allowance(2 * settings.STREAMS, 200, "streams reset")
        self._chatter = Allowance(1000, 100, "frames that carry no call")

    # What frames do.

    def data(self, number: int, data: bytes, begin: int, end: int, *, size: int, last: bool) -> None:
        """Take DATA: its content, and the `size` that counts for the windows."""
        self._taken += size
        if self._taken >= _STEP:
            self._outlet.control(frames.window_update(0, self._taken))
            self._taken = 0
        call = self._calls.get(number)
        if call is None or call.half_closed:
            self._stray(number)
            return
        if call.ended:
            # It was refused, and its end waits for the client to read.
            call.half_closed = last
            return
        if size == 0 and not last:
            self._chatter.spend(self.loop.time())
        if last and call.disagrees(end - begin):
            self._reset(number, PROTOCOL_ERROR)
            return
        try:
            if size > end - begin:
                call.widen(size - end + begin)
            if not call.take(data, begin, end, size, last=last):
                self._reset(number, FLOW_CONTROL_ERROR)
        except CallRefused as refusal:
            call.half_closed = call.half_closed or last
            call.cut(refusal.code, refusal.message)

    def _stray(self, number: int) -> None:
        """Take DATA for a stream that takes none."""
        if number > self.last or not number & 1:
            raise ConnectionFailed(PROTOCOL_ERROR, "DATA on a stream that was never opened")
        if number not in self._over and number <= self._limit:
            self._reset(number, STREAM_CLOSED)

    def opened(self, number: int, block: bytes, *, last: bool) -> None:
        """Take a whole header block: a new call's, or the trailers of one."""
        if number in self._calls or number <= self.last:
            self._trailers(number, self._blocks.fields(block), last=last)
            return
        head = self._blocks.head(block)
        self.last = number
        if number > self._limit:
            return
        if head.malformed or (last and head.length > 0):
            self._reset(number, PROTOCOL_ERROR)
        elif len(self._calls) >= settings.STREAMS:
            self._reset(number, REFUSED_STREAM)
        elif head.status != 200:
            self._outlet.block(number, encoded([(":status", str(int(head.status))), ("content-length", "0")]), end=True)
            self._end(number, half_closed=last)
        else:
            self._begin(number, head, last=last)

    def _begin(self, number: int, head: Head, *, last: bool) -> None:
        route = self._terms.routes.get(head.path)
        call = self._calls[number] = Call(self, self._outlet, number, head, route or _UNKNOWN)
        try:
            if head.too_long or head.timeout is not None:
                head.check()
            if route is None:
                raise CallRefused(StatusCode.UNIMPLEMENTED, f"there is no method {head.path}")
            if head.encoding not in ENCODINGS:
                call.trailing_metadata = [("grpc-accept-encoding", ",".join(ENCODINGS))]
                raise CallRefused(StatusCode.UNIMPLEMENTED, f"grpc-encoding must be one of {', '.join(ENCODINGS)}")
            if not route.unary:
                call.start()
            if last:
                call.close_half()
            elif route.unary and self.arrivals.timer is None:
                self.arrivals.expect()
        except CallRefused as refusal:
            call.half_closed = last
            call.cut(refusal.code, refusal.message)

    def _trailers(self, number: int, fields: list[tuple[bytes, bytes]], *, last: bool) -> None:
        call = self._calls.get(number)
        if call is None:
            if number not in self._over and number <= self._limit:
                raise ConnectionFailed(STREAM_CLOSED, "HEADERS on a stream that is closed")
        elif call.half_closed:
            self._reset(number, STREAM_CLOSED)
        elif not last or refused(fields, pseudo=False) or call.disagrees(0):
            self._reset(number, PROTOCOL_ERROR)
        else:
            try:
                call.close_half()
            except CallRefused as refusal:
                call.cut(refusal.code, refusal.message)

    def was_reset(self, number: int) -> None:
        """Take RST_STREAM: the client has left a call."""
        self._known(number)
        call = self._calls.pop(number, None)
        if call is not None:
            self._resets.spend(self.loop.time())
            self._grants.forget(call)
            call.abandon()
            self._look_for_the_end()

    def widened(self, number: int, size: int) -> None:
        """Take WINDOW_UPDATE."""
        if number == 0:
            if size == 0:
                raise ConnectionFailed(PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
            self._outlet.widen(None, size)
            return
        self._known(number)
        call = self._calls.get(number)
        if size == 0:
            self._reset(number, PROTOCOL_ERROR)
        elif call is not None and not self._outlet.widen(call, size):
            self._reset(number, FLOW_CONTROL_ERROR)

    def _known(self, number: int) -> None:
        if number > self.last or not number & 1:
            raise ConnectionFailed(PROTOCOL_ERROR, "a frame for a stream that was never opened")

    def configured(self, pairs: list[tuple[int, int]]) -> None:
        """Take SETTINGS."""
        self._chatter.spend(self.loop.time())
        self._outlet.heed(pairs, list(self._calls.values()))

    def pinged(self, payload: bytes, *, answer: bool) -> None:
        """Take PING."""
        if not answer:
            self._chatter.spend(self.loop.time())
            self._outlet.control(frames.frame(frames.PING, frames.ACK, 0, payload))
        elif payload == _DRAINED:
            self.no_more()

    def chatter(self) -> None:
        """Take a frame that means nothing here."""
        self._chatter.spend(self.loop.time())

    # What calls ask for.

    def check_answer(self, message: bytes) -> None:
        """Hold an answer against --grpc_max_send_message_length. Raises TooLarge."""
        longest = self._terms.longest_answer
        if len(message) > longest:
            raise TooLarge(f"the answer is larger than {longest} bytes, the server's --grpc_max_send_message_length")

    def let_send(self, number: int, size: int) -> None:
        """Widen a stream's window for the client."""
        self._outlet.control(frames.window_update(number, size))

    def grant(self, call: Incoming, size: int) -> None:
        """Let a call have `size` bytes more than the ordinary window, now or when others have ended."""
        self._grants.ask(call, size)

    def give_back(self, call: Incoming, size: int) -> None:
        """Take back what a call needs no more of what it was granted."""
        self._grants.give_back(call, size)

    def forget(self, call: Call) -> None:
        """Let go of a call whose end is on its way."""
        if self._calls.pop(call.number, None) is None:
            return
        call.release()
        self._grants.forget(call)
        self._end(call.number, half_closed=call.half_closed)
        self._look_for_the_end()

    def give_up(self, call: Call) -> None:
        """Let go of a call whose end does not get through in time."""
        self._grants.forget(call)
        if self._calls.pop(call.number, None) is not None:
            self._end(call.number, half_closed=False, code=CANCEL)
            self._look_for_the_end()

    def _reset(self, number: int, code: int) -> None:
        """End a stream, and with it its call, for what its client did."""
        self._resets.spend(self.loop.time())
        self._end(number, half_closed=False, code=code)
        call = self._calls.pop(number, None)
        if call is not None:
            self._grants.forget(call)
            call.abandon()
            self._look_for_the_end()

    def _end(self, number: int, *, half_closed: bool, code: int = NO_ERROR) -> None:
        """Stop a client that would still send."""
        if half_closed:
            return
        if len(self._over) >= _REMEMBERED:
            del self._over[next(iter(self._over))]
        self._over[number] = None
        self._outlet.control(frames.reset(number, code))

    # How it ends.

    def drain(self) -> None:
        """Ask for no new calls; the answer to the ping says that the client has heard it."""
        self.stopping = True
        self._outlet.control(frames.goaway(LARGEST, NO_ERROR, "the server is stopping"))
        self._outlet.control(frames.frame(frames.PING, 0, 0, _DRAINED))
        for call in list(self._calls.values()):
            call.wake()

    def no_more(self) -> None:
        """Take no new calls."""
        if self._limit == LARGEST:
            self._limit = self.last
            self._outlet.control(frames.goaway(self.last, NO_ERROR, "the server is stopping"))
            self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if self._limit != LARGEST and not self._calls:
            self._drained()

    def cut(self) -> None:
        """End all calls now."""
        for call in list(self._calls.values()):
            call.cut(StatusCode.UNAVAILABLE, "the server stopped before the model had answered")

    def abandon(self) -> None:
        """Give up all calls: their client is gone."""
        self.arrivals.stop()
        calls = list(self._calls.values())
        self._calls.clear()
        for call in calls:
            call.abandon()


async def _nothing(call: Call) -> None:
    """Answer no call: it has been refused."""


_UNKNOWN: Final = Route(_nothing, unary=True)
