"""Typed frames over a socket pair; large buffers are not sent, but shared in memory that has no name.

A frame is the length of its head, for each buffer its size and where it lies in the sender's arena, the head, and then
those buffers that lie in none.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any, Final

from modelwright.scale import arena
from modelwright.scale.arena import NO_ARENAS, Arenas
from modelwright.scale.values import Buffer, pack, unpack

_START: Final = struct.Struct("<QI")
_BUFFER: Final = struct.Struct("<Qq")
# Where a buffer lies that is in the frame itself.
_HERE: Final = -1
# What every numpy type, and what reads with wide registers, is aligned at.
_ALIGNED: Final = 64


class Closed(ConnectionError):
    """The other end has gone."""


class Channel:
    """One end: whole values out and in."""

    def __init__(self, end: socket.socket, arenas: Arenas) -> None:
        self._end = end
        self._arenas = arenas

    def send(self, value: object) -> None:
        """Send a value.

        Raises:
            Closed: nobody reads any more.
            Exception: what pickling raises for an object that cannot be; nothing has been sent then.

        """
        head, buffers = pack(value)
        parts: list[Buffer] = [_START.pack(len(head), len(buffers)), b"", head]
        places = []
        for buffer in buffers:
            place = self._placed(buffer)
            places.append(_BUFFER.pack(len(buffer), place))
            if place == _HERE:
                parts += [buffer, bytes(-len(buffer) % _ALIGNED)]
        parts[1] = b"".join(places)
        try:
            self._end.sendall(b"".join(parts))
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self) -> Any:  # noqa: ANN401 - any value
        """Receive a value; waits for one.

        Raises:
            Closed: there will be none.

        """
        try:
            length, count = _START.unpack(self._read(_START.size))
            places = list(_BUFFER.iter_unpack(self._read(count * _BUFFER.size)))
            head = self._read(length)
            whole = memoryview(self._read(sum(_up(size) for size, place in places if place == _HERE)))
        except OSError as error:
            raise Closed(str(error)) from None
        parts, at = [], 0
        for size, place in places:
            if place == _HERE:
                parts.append(whole[at : at + size])
                at += _up(size)
            else:
                incoming = self._arenas.incoming
                if incoming is None:
                    raise Closed("this end has been closed")
                parts.append(incoming.view(place, size))
        return unpack(head, parts)

    def close(self) -> None:
        """End the connection: the other end's `receive` raises Closed, as one does that waits here."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
        # Whoever has an array of the other end's keeps its memory; nobody else does.
        self._arenas = NO_ARENAS

    def _placed(self, buffer: Buffer) -> int:
        if len(buffer) < arena.SHARED or self._arenas.outgoing is None:
            return _HERE
        place = self._arenas.outgoing.put(buffer)
        return _HERE if place is None else place

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._end.recv_into(view)
            if not count:
                raise Closed("the other end has gone")
            view = view[count:]
        return data


def _up(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
