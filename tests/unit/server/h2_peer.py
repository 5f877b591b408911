"""The other end of a connection of the gRPC server, without a network: frames in, frames out."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hpack import Decoder, Encoder
from modelwright.server.grpc.wire import frames
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.connection import Connection
from modelwright.server.grpc.wire.terms import Route, Terms

LIMIT = 4 * 1024 * 1024
WHOLE = frames.END_HEADERS | frames.END_STREAM
REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test/Echo"),
    (":authority", "server:8081"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
    ("user-agent", "grpc-python/1.76.0"),
]


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """The error code of RST_STREAM or GOAWAY."""
        return int.from_bytes(self.payload[4:8] if self.kind == frames.GOAWAY else self.payload[:4], "big")


class Transport:
    """Keeps what is written; `closed` and `aborted` say how it ended."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.writes = 0
        self.closed = self.aborted = self.eof = False

    def write(self, data: bytes) -> None:
        self.written += data
        self.writes += 1

    def get_extra_info(self, name: str) -> None:
        return None

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


class Peer:
    """A client that sends what it is told to, good or bad."""

    def __init__(
        self,
        *,
        begin: bool = True,
        limit: int = LIMIT,
        body_timeout: float = 60,
        **handlers: Callable[[Call], Awaitable[None]],
    ) -> None:
        echo, chat = handlers.pop("Echo", answer), handlers.pop("Chat", repeat)
        routes = {"/test/Echo": Route(echo, unary=True), "/test/Chat": Route(chat, unary=False)}
        self.transport = Transport()
        self.open: set[Connection] = set()
        self.connection = Connection(Terms(routes, limit, limit, body_timeout), self.open)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]
        self.encoder, self._decoder, self._read = Encoder(), Decoder(), 0
        if begin:
            self.send(frames.PREFACE, frames.settings([]))
            self.frames()

    def send(self, *data: bytes) -> None:
        """Send everything at once, if the server still listens."""
        if not self.transport.aborted:
            self.connection.data_received(b"".join(data))

    def head(self, stream: int, *more: tuple[str, str], end: bool = False, without: str = "") -> bytes:
        """HEADERS of a call; `more` replaces fields of the same name and adds others."""
        given = dict(more)
        fields = [(name, given.pop(name, value)) for name, value in REQUEST if name != without]
        block = self.encoder.encode(fields + list(given.items()))
        return frames.frame(frames.HEADERS, WHOLE if end else frames.END_HEADERS, stream, block)

    def call(self, stream: int, message: bytes = b"ping", *more: tuple[str, str]) -> bytes:
        """A whole unary call."""
        return self.head(stream, *more) + frames.frame(frames.DATA, frames.END_STREAM, stream, framed(message))

    def frames(self) -> list[Frame]:
        """Give what has come since the last look."""
        found, data = [], bytes(self.transport.written)
        while self._read < len(data):
            high, low, kind, flags, stream = frames.HEAD.unpack_from(data, self._read)
            start = self._read + frames.HEAD_SIZE
            self._read = start + (high << 8 | low)
            found.append(Frame(kind, flags, stream, data[start : self._read]))
        assert self._read == len(data)
        return found

    def fields(self, frame: Frame) -> dict[str, str]:
        return dict(self._decoder.decode(frame.payload))

    def outcome(self, stream: int, came: list[Frame]) -> tuple[dict[str, str], bytes]:
        """Give a stream's fields, all together, and what its DATA hold."""
        fields: dict[str, str] = {}
        for frame in came:
            if frame.kind == frames.HEADERS:
                found = self.fields(frame)
                if frame.stream == stream:
                    fields |= found
        return fields, b"".join(f.payload for f in came if (f.kind, f.stream) == (frames.DATA, stream))

    async def answered(self, stream: int) -> tuple[dict[str, str], bytes]:
        """Let the handlers run, and give what one stream was sent."""
        await settle()
        return self.outcome(stream, self.frames())

    def codes(self, kind: int) -> list[int]:
        return [frame.code for frame in self.frames() if frame.kind == kind]


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def answer(call: Call) -> None:
    call.answer(call.message or b"")


async def repeat(call: Call) -> None:
    while (message := await call.read()) is not None:
        await call.write(message)


def framed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message
