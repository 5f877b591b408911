"""One request: what it asks, its body as it arrives, and its answer as it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from modelwright.server.caller import Caller
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.wire.heads import BODILESS, CLOSE, CONTINUE, JSON

if TYPE_CHECKING:
    from modelwright.server.rest.wire.connection import Connection

# Up to here, copying a body behind its headers is cheaper than a second write.
SMALL: Final = 64 * 1024
_PIECE: Final = 16 * 1024
# How much of a body is held that nobody has asked for.
_HELD: Final = 64 * 1024


class Request:
    """A request whose headers have arrived.

    Once its client is `gone`, or it has been refused by its connection, whatever is still answered goes nowhere.
    """

    def __init__(
        self,
        connection: Connection,
        method: str,
        target: tuple[str, bytes],
        version: str,
        headers: Headers,
        *,
        stays: bool,
    ) -> None:
        self.method = method
        self.path, self.query = target
        self.version = version
        # By their names in lower case.
        self.headers = headers
        self.caller = Caller(headers)
        # Whether the body is all here; whether there is nobody to answer; how much of the answer there was.
        self.whole = self.gone = self.begun = self.ended = False
        # Whether another request began to arrive before this one was answered.
        self.followed = False
        # Whether the connection is to outlive the answer.
        self.stays = stays
        # Of the body, in bytes.
        self.size = 0
        self.task: asyncio.Task[None] | None = None
        self._connection = connection
        # The first as it came, the small ones behind it together: each costs more than its bytes.
        self._pieces: list[bytes | bytearray] = []
        self._limit = _HELD
        self._arrives: asyncio.Future[None] | None = None
        self._chunked = False
        # Whether the end of the body can be told from that of the connection.
        self._bounded = True

    @property
    def client(self) -> tuple[str, int] | None:
        """The other end's address and port."""
        return self._connection.client

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self._connection.scheme

    # Its body.

    def body(self) -> bytes:
        """Hand over what has arrived of the body: it is not kept."""
        pieces, self._pieces = self._pieces, []
        if len(pieces) == 1 and isinstance(first := pieces[0], bytes):
            return first
        return b"".join(pieces)

    async def arrive(self, limit: int) -> None:
        """Wait until the body is whole, or `size` exceeds `limit`, or the client is `gone`."""
        self._limit = limit
        if self.whole or self.gone or self.size > limit:
            return
        if self.size == 0 and self._expects():
            self._connection.transport.write(CONTINUE)
        self._arrives = self._connection.loop.create_future()
        self._connection.resume_reading()
        await self._arrives

    def _expects(self) -> bool:
        """Whether the client waits for a word before it sends its body."""
        expected = [value.lower() for name, value in self.headers if name == b"expect"]
        return self.version == "1.1" and expected == [b"100-continue"]

    def take(self, piece: bytes) -> bool:
        """Take what came of the body, and give whether more is wanted now."""
        if self.ended or self.gone:
            return True
        pieces = self._pieces
        if not pieces or len(piece) >= _PIECE:
            pieces.append(piece)
        elif isinstance(pieces[-1], bytearray):
            pieces[-1] += piece
        else:
            pieces.append(bytearray(piece))
        self.size += len(piece)
        if self.size <= self._limit:
            return True
        self._wake()
        return False

    def close_half(self) -> None:
        """Note that the body is all here."""
        self.whole = True
        if self._arrives is not None:
            self._wake()

    def _wake(self) -> None:
        if self._arrives is not None and not self._arrives.done():
            self._arrives.set_result(None)

    # Its answer.

    def answer(self, status: int, headers: Headers, body: bytes, *, close: bool) -> bool:
        """Write a whole small answer in one piece, and give whether it was; `close` ends the connection after it.

        Large ones are not, nor any while the client does not read, nor those without a body.
        """
        if self.ended or self.gone:
            return True
        connection = self._connection
        if connection.blocked or len(body) > SMALL or self.method == "HEAD" or status in BODILESS:
            return False
        self._settle(close=close)
        if self.stays and len(headers) == 1 and headers[0] is JSON:
            whole = b"%b%d\r\n\r\n%b" % (connection.heads.json(status), len(body), body)
        else:
            whole = connection.heads.of(status, headers if self.stays else [*headers, CLOSE], len(body)) + body
        connection.transport.write(whole)
        self.begun = True
        self._end()
        return True

    def begin(self, status: int, headers: Headers, length: int | None, *, close: bool) -> None:
        """Write the head of an answer whose body is `length` bytes long, or nobody knows how long."""
        if self.ended or self.gone:
            return
        bodiless = self.method == "HEAD" or status in BODILESS
        # HTTP/1.0 has no chunks.
        self._chunked = length is None and self.version == "1.1" and not bodiless
        self._bounded = self._chunked or length is not None
        self._settle(close=close)
        full = headers if self.stays else [*headers, CLOSE]
        if self._chunked:
            full = [*full, (b"transfer-encoding", b"chunked")]
        given = None if status in BODILESS else length
        self._connection.transport.write(self._connection.heads.of(status, full, given))
        self.begun = True

    def write(self, piece: bytes | memoryview) -> None:
        """Write a piece of the body; nothing where there is to be none."""
        if self.ended or self.gone or self.method == "HEAD" or not len(piece):
            return
        if self._chunked:
            self._connection.transport.write(b"".join((b"%x\r\n" % len(piece), piece, b"\r\n")))
        else:
            self._connection.transport.write(piece)

    def end(self) -> None:
        """End the answer."""
        if self.ended or self.gone:
            return
        if self._chunked:
            self._connection.transport.write(b"0\r\n\r\n")
        self._end()

    def _end(self) -> None:
        self.ended = True
        # Its connection remembers it until the next, and need not its body.
        self._pieces.clear()
        self._connection.answered(self)

    @property
    def blocked(self) -> bool:
        """Whether the client does not read what it was sent."""
        return self._connection.blocked and not self.gone

    async def room(self) -> None:
        """Wait until the client reads, or is gone."""
        await self._connection.room()

    def _settle(self, *, close: bool) -> None:
        """Decide whether the connection stays."""
        # A client that was never told to go on may send its body or may not: nobody could tell where the next begins.
        if close or (not self.whole and self.size == 0 and self._arrives is None and self._expects()):
            self.stays = False

    def abort(self) -> None:
        """End the connection without another byte."""
        self._connection.transport.abort()

    # What its connection does.

    def cut(self) -> None:
        """End an answer that will not become whole, so that its client sees that it is not."""
        if self._bounded:
            self._connection.transport.close()
        else:
            self.abort()

    def give_up(self) -> None:
        """Note that nobody waits for the answer."""
        self.gone = True
        self._wake()
        self.caller.leave()
