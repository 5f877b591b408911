"""What one connection sends: whole answers in one write, and what does not fit its client's windows piece by piece."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Final

from modelwright.server.grpc.wire import frames
from modelwright.server.grpc.wire.frames import FLOW_CONTROL_ERROR, HEAD, ConnectionFailed
from modelwright.server.grpc.wire.messages import PREFIX, PREFIX_SIZE
from modelwright.server.grpc.wire.settings import (
    ACKNOWLEDGED,
    DEFAULT_FRAME,
    DEFAULT_TABLE,
    DEFAULT_WINDOW,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
)

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.call import Call

# :status 200 and content-type application/grpc: static entry 8, and a literal with the name of entry 31.
RESPONSE: Final = b"\x88\x0f\x10\x10application/grpc"
# grpc-status 0
DONE: Final = b"\x00\x0bgrpc-status\x010"
# A whole answer's HEADERS, and its DATA up to the message.
_BEFORE: Final = struct.Struct(f">HBBBI{len(RESPONSE)}sHBBBIBI")
_BEHIND: Final = struct.Struct(f">HBBBI{len(DONE)}s")
# Up to here, copying behind a header is cheaper than a second write.
_SMALL: Final = 16 * 1024
# One call's turn while others wait.
_TURN: Final = 128 * 1024
# Seconds without a byte taken after which a client counts as gone.
_PATIENCE: Final = 60.0
# Frames that a client which does not read may have wait for it.
_UNSAID: Final = 1000
# A dynamic table of no entries (RFC 7541, section 6.3), which is all that our literals need.
_NO_TABLE: Final = b"\x20"


class Outlet:
    """The sending half of a connection; `waiting` are the calls with something to send."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._stalled: asyncio.TimerHandle | None = None
        self._resized = False
        self._longest = DEFAULT_FRAME
        self._unsaid = 0
        self._pumping = False
        self.window = DEFAULT_WINDOW
        self.initial = DEFAULT_WINDOW
        self.paused = False
        self.waiting: dict[int, Call] = {}

    def control(self, frame: bytes) -> None:
        """Send a frame that no window holds back; a client that has many of them come and reads none is cut off."""
        if self.paused:
            self._unsaid += 1
            if self._unsaid > _UNSAID:
                self._transport.abort()
                return
        self._transport.write(frame)

    def whole(self, call: Call, message: bytes) -> bool:
        """Send all of an answer without metadata, if it can go out at once; give whether it could."""
        size = len(message) + PREFIX_SIZE
        if size > _SMALL or size > self.window or size > call.window or self.paused or self._resized:
            return False
        self.window -= size
        number = call.number
        before = _BEFORE.pack(
            0, len(RESPONSE), frames.HEADERS, frames.END_HEADERS, number, RESPONSE,
            size >> 8, size & 0xFF, frames.DATA, 0, number, 0, size - PREFIX_SIZE,
        )  # fmt: skip
        ended = frames.END_HEADERS | frames.END_STREAM
        self._transport.write(
            b"".join((before, message, _BEHIND.pack(0, len(DONE), frames.HEADERS, ended, number, DONE)))
        )
        return True

    def block(self, number: int, block: bytes, *, end: bool) -> None:
        """Send a header block."""
        if self._resized:
            self._resized, block = False, _NO_TABLE + block
        self._transport.write(frames.headers(number, block, self._longest, end=end))

    def push(self, call: Call) -> None:
        """Send what a call has to send, now or as its client makes room for it."""
        self.waiting[call.number] = call
        self.pump()

    def pump(self) -> None:
        """Give each call that waits its turn, until nobody can go on."""
        # uvloop may resume within a write, in the middle of a turn; the loop below goes on then anyway.
        if self._pumping:
            return
        self._pumping = progress = True
        try:
            while progress and self.waiting and not self.paused:
                progress = False
                for call in list(self.waiting.values()):
                    if not self.paused and call.number in self.waiting and self._turn(call):
                        progress = True
        finally:
            self._pumping = False

    def _turn(self, call: Call) -> bool:
        """Send a frame of a call, or its end; give whether there was room for it."""
        if call.outgoing:
            piece = call.outgoing[0]
            size = min(len(piece), self._longest, _TURN, self.window, call.window)
            if size <= 0:
                return False
            self.window -= size
            call.window -= size
            head = HEAD.pack(size >> 8, size & 0xFF, frames.DATA, 0, call.number)
            if size <= _SMALL:
                self._transport.write(head + piece[:size])
            else:
                self._transport.write(head)
                self._transport.write(piece[:size])
            if size < len(piece):
                call.outgoing[0] = piece[size:]
                return True
            call.outgoing.popleft()
            if call.outgoing:
                return True
        del self.waiting[call.number]
        if call.tail:
            self.block(call.number, call.tail, end=True)
        call.flushed()
        return True

    def widen(self, call: Call | None, size: int) -> bool:
        """Take a client's WINDOW_UPDATE, for a call or for the connection; give whether the window may be so large."""
        if call is None:
            self.window += size
            if self.window > frames.LARGEST:
                raise ConnectionFailed(FLOW_CONTROL_ERROR, "the connection's window is too large")
        else:
            call.window += size
            if call.window > frames.LARGEST:
                return False
        if self.waiting:
            self.pump()
        return True

    def heed(self, pairs: list[tuple[int, int]], calls: list[Call]) -> None:
        """Take and acknowledge a client's settings, which also move the windows of the calls in work.

        Raises:
            ConnectionFailed: a window would be too large.

        """
        for key, value in pairs:
            if key == INITIAL_WINDOW_SIZE:
                for call in calls:
                    call.window += value - self.initial
                    if call.window > frames.LARGEST:
                        raise ConnectionFailed(FLOW_CONTROL_ERROR, "a stream's window is too large")
                self.initial = value
            elif key == MAX_FRAME_SIZE:
                self._longest = value
            elif key == HEADER_TABLE_SIZE:
                # A smaller table must be acknowledged by the next block (RFC 7541, section 4.2).
                self._resized = self._resized or value < DEFAULT_TABLE
        # Before anything that makes use of them: the client may have sent the next already.
        self.control(ACKNOWLEDGED)
        self.pump()

    def pause(self) -> None:
        """Hold everything back: the client does not read."""
        self.paused = True
        self._stalled = self._loop.call_later(_PATIENCE, self._transport.abort)

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self._unsaid = 0
        self.forget()
        self.pump()

    def forget(self) -> None:
        """Give up the clock that runs while nothing is read."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def framed(message: bytes) -> list[memoryview]:
    """Give a message with its prefix, as pieces of which only a small one is a copy."""
    prefix = PREFIX.pack(0, len(message))
    first = _SMALL - PREFIX_SIZE
    if len(message) <= first:
        return [memoryview(prefix + message)]
    return [memoryview(prefix + message[:first]), memoryview(message)[first:]]
