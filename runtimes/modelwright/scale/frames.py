"""Typed frames over a socket pair; large buffers are not sent, but shared in memory that has no name.

A frame is a length of its head, the lengths of its buffers, the head and then the buffers. From `SHARED` bytes of
buffers on, they lie in a memfd whose descriptor travels with the frame: the receiver maps what the sender wrote, and
the kernel frees it with the last mapping, however either process ends.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

from modelwright.scale.values import Buffer, pack, unpack

SHARED: Final = 256 * 1024
_START: Final = struct.Struct("<QI?")
_LENGTH: Final = struct.Struct("<Q")
# What every numpy type, and what reads with wide registers, is aligned at.
_ALIGNED: Final = 64


class Closed(ConnectionError):
    """The other end has gone."""


class Channel:
    """One end: whole values out and in."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, value: object) -> None:
        """Send a value.

        Raises:
            Closed: nobody reads any more.
            Exception: what pickling raises for an object that cannot be; nothing has been sent then.

        """
        head, buffers = pack(value)
        sizes = [len(buffer) for buffer in buffers]
        shared = sum(sizes) >= SHARED
        begin = b"".join((_START.pack(len(head), len(sizes), shared), *map(_LENGTH.pack, sizes), head))
        try:
            if shared:
                self._send_shared(begin, buffers)
            else:
                self._end.sendall(b"".join((begin, *(_padded(buffer) for buffer in buffers))))
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self) -> Any:  # noqa: ANN401 - any value
        """Receive a value; waits for one.

        Raises:
            Closed: there will be none.

        """
        try:
            start, descriptors, _, _ = socket.recv_fds(self._end, _START.size, 1, socket.MSG_CMSG_CLOEXEC)
            start += self._read(_START.size - len(start))
            length, count, shared = _START.unpack(start)
            lengths = [size for (size,) in _LENGTH.iter_unpack(self._read(count * _LENGTH.size))]
            head = self._read(length)
            whole = _mapped(descriptors[0], sum(map(_up, lengths))) if shared else self._read(sum(map(_up, lengths)))
        except OSError as error:
            raise Closed(str(error)) from None
        return unpack(head, _parts(memoryview(whole), lengths))

    def close(self) -> None:
        """End the connection: the other end's `receive` raises Closed, as one does that waits here."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _send_shared(self, begin: bytes, buffers: Sequence[Buffer]) -> None:
        descriptor = os.memfd_create("modelwright", os.MFD_CLOEXEC)
        try:
            place = 0
            for buffer in buffers:
                _write(descriptor, buffer, place)
                place += _up(len(buffer))
            os.ftruncate(descriptor, place)
            # The descriptor arrives with the first byte.
            sent = socket.send_fds(self._end, [begin[: _START.size]], [descriptor])
            self._end.sendall(begin[sent:])
        finally:
            os.close(descriptor)

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


def _padded(buffer: Buffer) -> bytes:
    return bytes(buffer) + bytes(_up(len(buffer)) - len(buffer))


def _write(descriptor: int, buffer: Buffer, place: int) -> None:
    view = memoryview(buffer)
    while view:
        count = os.pwrite(descriptor, view, place)
        view, place = view[count:], place + count


def _mapped(descriptor: int, size: int) -> mmap.mmap:
    try:
        # Private: what the receiver writes into an array of its own is no business of anybody's.
        return mmap.mmap(descriptor, size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    finally:
        os.close(descriptor)


def _parts(whole: memoryview, lengths: Sequence[int]) -> list[memoryview]:
    parts, place = [], 0
    for length in lengths:
        parts.append(whole[place : place + length])
        place += _up(length)
    return parts
