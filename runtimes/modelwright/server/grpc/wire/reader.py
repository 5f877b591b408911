"""A connection's bytes as frames, each held against its form. Source: RFC 9113, sections 4 and 6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelwright.server.grpc.wire import frames, settings
from modelwright.server.grpc.wire.fields import LONGEST_BLOCK
from modelwright.server.grpc.wire.frames import (
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    HEAD,
    HEAD_SIZE,
    LARGEST,
    PADDED,
    PREFACE,
    PROTOCOL_ERROR,
    WITH_PRIORITY,
    ConnectionFailed,
)

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.streams import Streams

# A header block in more frames than this is an attack.
_CONTINUATIONS: Final = 64
_PRIORITY_SIZE: Final = 5


class FrameReader:
    """Cuts what comes into frames, and tells the connection of each. DATA is passed on as it comes, never held."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        # The beginning of something, and how many bytes of it there must be to go on.
        self._held = bytearray()
        self._needed = len(PREFACE)
        self.begun = False
        self._configured = False
        # What is still to come of a frame of DATA: its stream, bytes, and whether it is the last.
        self._stream, self._missing, self._last = 0, 0, False
        # A header block that goes on: its stream, pieces, size, and whether the stream ends with it.
        self._block_of, self._block, self._block_last = 0, [b""], False
        self._strict = True
        self._readers = {
            frames.DATA: self._data,
            frames.HEADERS: self._headers,
            frames.PRIORITY: self._priority,
            frames.RST_STREAM: self._reset,
            frames.SETTINGS: self._settings,
            frames.PUSH_PROMISE: self._push,
            frames.PING: self._ping,
            frames.GOAWAY: self._goaway,
            frames.WINDOW_UPDATE: self._window,
            frames.CONTINUATION: self._continuation,
        }

    def close(self) -> None:
        """Let go of everything, so that nothing waits for the collector."""
        self._readers.clear()
        self._held.clear()

    def take(self, data: bytes) -> None:
        """Take what came.

        Raises:
            ConnectionFailed: it is not what HTTP/2 allows.

        """
        if self._held or not self.begun:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        begin = 0 if self.begun else self._preface(data)
        if self._missing:
            begin = self._more(data)
        size = len(data)
        while size - begin >= HEAD_SIZE:
            high, low, kind, flags, number = HEAD.unpack_from(data, begin)
            length = high << 8 | low
            number &= LARGEST
            if length > settings.FRAME or self._strict:
                self._check(kind, flags, number, length)
            end = begin + HEAD_SIZE + length
            if end > size and (kind != frames.DATA or flags & PADDED):
                break
            reader = self._readers.get(kind)
            if reader is None:
                self._streams.chatter()
            else:
                reader(flags, number, data, begin + HEAD_SIZE, end)
            begin = end
        if begin < size:
            self._held += data[begin:]
            left = size - begin
            self._needed = HEAD_SIZE if left < HEAD_SIZE else HEAD_SIZE + (high << 8 | low)

    def _preface(self, data: bytes) -> int:
        if not data.startswith(PREFACE):
            raise ConnectionFailed(PROTOCOL_ERROR, "this port speaks gRPC, and this is not HTTP/2")
        self.begun = True
        return len(PREFACE)

    def _check(self, kind: int, flags: int, number: int, length: int) -> None:
        """Hold a frame against what must come now: settings first, and a header block without a break."""
        if length > settings.FRAME:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "a frame is longer than SETTINGS_MAX_FRAME_SIZE")
        if not self._configured:
            if kind != frames.SETTINGS or flags & frames.ACK:
                raise ConnectionFailed(PROTOCOL_ERROR, "the first frame must be SETTINGS")
            self._configured = True
        elif self._block_of and (kind != frames.CONTINUATION or number != self._block_of):
            raise ConnectionFailed(PROTOCOL_ERROR, "a header block must go on with CONTINUATION")
        self._strict = bool(self._block_of)

    def _data(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        size, last = end - begin, bool(flags & END_STREAM)
        if flags & PADDED:
            begin, end = frames.unpadded(data, begin, end)
        missing = end - len(data)
        if missing > 0:
            self._stream, self._missing, self._last = number, missing, last
            last, end, size = False, len(data), size - missing
            if not size:
                return
        self._streams.data(number, data, begin, end, size=size, last=last)

    def _more(self, data: bytes) -> int:
        """Take more of a frame of DATA; gives where the next begins."""
        end = min(self._missing, len(data))
        self._missing -= end
        last = self._last and not self._missing
        self._streams.data(self._stream, data, 0, end, size=end, last=last)
        return end

    def _headers(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        if not number & 1:
            raise ConnectionFailed(PROTOCOL_ERROR, "HEADERS on a stream that no client may open")
        if flags & PADDED:
            begin, end = frames.unpadded(data, begin, end)
        if flags & WITH_PRIORITY:
            if end - begin < _PRIORITY_SIZE:
                raise ConnectionFailed(FRAME_SIZE_ERROR, "HEADERS are too short for their priority")
            begin += _PRIORITY_SIZE
        _fits(end - begin)
        if flags & END_HEADERS:
            self._streams.opened(number, data[begin:end], last=bool(flags & END_STREAM))
        else:
            self._block_of, self._block, self._block_last = number, [data[begin:end]], bool(flags & END_STREAM)
            self._strict = True

    def _continuation(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        if not self._block_of:
            raise ConnectionFailed(PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._block.append(data[begin:end])
        _fits(sum(map(len, self._block)))
        if len(self._block) > _CONTINUATIONS:
            raise ConnectionFailed(ENHANCE_YOUR_CALM, "a header block comes in too many frames")
        if flags & END_HEADERS:
            self._block_of, self._strict = 0, False
            self._streams.opened(number, b"".join(self._block), last=self._block_last)

    def _priority(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        _of_a_stream(number)
        if end - begin != _PRIORITY_SIZE:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "PRIORITY has five bytes")
        self._streams.chatter()

    def _reset(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        _of_a_stream(number)
        frames.number(data, begin, end)
        self._streams.was_reset(number)

    def _settings(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        _of_the_connection(number)
        if not flags & frames.ACK:
            self._streams.configured(settings.read(data, begin, end))
        elif begin < end:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS is empty")

    def _push(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        raise ConnectionFailed(PROTOCOL_ERROR, "a client cannot push")

    def _ping(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        _of_the_connection(number)
        if end - begin != 8:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "PING has eight bytes")
        self._streams.pinged(data[begin:end], answer=bool(flags & frames.ACK))

    def _goaway(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        """Take GOAWAY: the client opens no more streams, and closes when it has its answers."""
        _of_the_connection(number)
        if end - begin < 8:
            raise ConnectionFailed(FRAME_SIZE_ERROR, "GOAWAY has eight bytes at least")
        self._streams.chatter()

    def _window(self, flags: int, number: int, data: bytes, begin: int, end: int) -> None:
        self._streams.widened(number, frames.number(data, begin, end) & LARGEST)


def _of_a_stream(number: int) -> None:
    if not number:
        raise ConnectionFailed(PROTOCOL_ERROR, "a stream's frame is on the connection")


def _of_the_connection(number: int) -> None:
    if number:
        raise ConnectionFailed(PROTOCOL_ERROR, "a connection's frame is on a stream")


def _fits(size: int) -> None:
    if size > LONGEST_BLOCK:
        raise ConnectionFailed(ENHANCE_YOUR_CALM, "a header block is far too long")
