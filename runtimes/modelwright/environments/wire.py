"""An end of a stream of frames: what arrives is read into the place where it stays, without a copy on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from modelwright.environments import frames
from modelwright.environments.frames import Kind
from modelwright.environments.values import Unreadable, decode
from modelwright.scale.arena import NO_ARENAS, Arenas

# Bytes; several small frames arrive in one reading, the rest of a large one goes where it belongs.
_ROOM: Final = 64 * 1024
Take = Callable[[Kind, int, Any], None]


class Wire(asyncio.BufferedProtocol):
    """Gives each frame to `take`; `ended` is done once the other side is gone or has sent what is no frame."""

    def __init__(self, take: Take, made: Callable[[], None] = lambda: None, arenas: Arenas = NO_ARENAS) -> None:
        self.take = take
        self._arenas = arenas
        self._made = made
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._small = memoryview(bytearray(_ROOM))
        self._filled = 0
        self._body: bytearray | None = None
        self._kind, self._call, self._at = Kind.HELLO, 0, 0

    async def send(self, kind: Kind, call: int, value: object) -> None:
        """Send a frame, and wait while the other side does not read.

        Raises:
            ConnectionResetError: there is no other side any more.
            Unreadable: the value has no bytes.

        """
        self.send_now(kind, call, value)
        if self._writable is not None:
            await asyncio.shield(self._writable)

    def send_now(self, kind: Kind, call: int, value: object) -> None:
        """Send a frame without waiting; see `send` for what is raised."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        parts = frames.pack(kind, call, value, self._arenas.outgoing)
        self._transport.writelines(parts)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and tell whoever waits to speak first."""
        # uvloop's is none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._made()

    def connection_lost(self, error: Exception | None) -> None:
        """Say that the other side is gone."""
        self.resume_writing()
        # Whoever has an array of the other side's keeps its memory; nobody else does.
        self._arenas = NO_ARENAS
        if not self.ended.done():
            self.ended.set_result(None)

    def pause_writing(self) -> None:
        """Have `send` wait."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Have `send` go on."""
        waited, self._writable = self._writable, None
        if waited is not None and not waited.done():
            waited.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the place for what arrives next."""
        return self._small[self._filled :] if self._body is None else memoryview(self._body)[self._at :]

    def buffer_updated(self, count: int) -> None:
        """Take what has arrived."""
        try:
            if self._body is None:
                self._filled += count
                self._read_small()
                return
            self._at += count
            if self._at == len(self._body):
                body, self._body = self._body, None
                self.take(self._kind, self._call, decode(body, self._arenas.incoming))
        except Unreadable as error:
            if not self.ended.done():
                self.ended.set_exception(error)
            self.close()

    def _read_small(self) -> None:
        begun = 0
        while self._filled - begun >= frames.HEADER.size:
            kind, call, length = frames.header(self._small[begun:])
            start = begun + frames.HEADER.size
            have = min(length, self._filled - start)
            body = bytearray(self._small[start : start + have]) if have == length else bytearray(length)
            begun = start + have
            if have < length:
                body[:have] = self._small[start:begun]
                self._kind, self._call, self._at, self._body = kind, call, have, body
                break
            self.take(kind, call, decode(body, self._arenas.incoming))
        left = self._filled - begun
        if begun and left:
            self._small[:left] = bytes(self._small[begun : self._filled])
        self._filled = left
