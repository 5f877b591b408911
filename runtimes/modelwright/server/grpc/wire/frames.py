"""HTTP/2 frames as bytes. Source: RFC 9113, sections 4 and 6."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20

# Section 7
NO_ERROR: Final = 0
PROTOCOL_ERROR: Final = 1
INTERNAL_ERROR: Final = 2
FLOW_CONTROL_ERROR: Final = 3
STREAM_CLOSED: Final = 5
FRAME_SIZE_ERROR: Final = 6
REFUSED_STREAM: Final = 7
CANCEL: Final = 8
COMPRESSION_ERROR: Final = 9
ENHANCE_YOUR_CALM: Final = 11

# The largest stream identifier and window.
LARGEST: Final = 2**31 - 1
# Length in 3 bytes, type, flags, stream.
HEAD: Final = struct.Struct(">HBBBI")
HEAD_SIZE: Final = 9
_NUMBER: Final = struct.Struct(">I")
_SETTING: Final = struct.Struct(">HI")


class ConnectionFailed(Exception):
    """What a client sent ends its connection: `code` goes out with GOAWAY, and so does the message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Give one frame."""
    size = len(payload)
    return HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def headers(stream: int, block: bytes, longest: int, *, end: bool) -> bytes:
    """Give a header block as HEADERS, with CONTINUATION behind it where it is longer than a frame may be."""
    flags = END_STREAM if end else 0
    if len(block) <= longest:
        return frame(HEADERS, flags | END_HEADERS, stream, block)
    parts = [frame(HEADERS, flags, stream, block[:longest])]
    for start in range(longest, len(block), longest):
        last = END_HEADERS if start + longest >= len(block) else 0
        parts.append(frame(CONTINUATION, last, stream, block[start : start + longest]))
    return b"".join(parts)


def reset(stream: int, code: int) -> bytes:
    """Give RST_STREAM."""
    return frame(RST_STREAM, 0, stream, _NUMBER.pack(code))


def window_update(stream: int, size: int) -> bytes:
    """Give WINDOW_UPDATE; stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream, _NUMBER.pack(size))


def goaway(last: int, code: int, message: str = "") -> bytes:
    """Give GOAWAY; `last` is the last stream that is or will be answered."""
    return frame(GOAWAY, 0, 0, _NUMBER.pack(last) + _NUMBER.pack(code) + message.encode())


def settings(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Give SETTINGS."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in pairs))


def number(data: bytes, begin: int, end: int) -> int:
    """Read a payload of four bytes.

    Raises:
        ConnectionFailed: it has another length.

    """
    if end - begin != 4:
        raise ConnectionFailed(FRAME_SIZE_ERROR, "a frame of four bytes has another length")
    (value,) = _NUMBER.unpack_from(data, begin)
    return int(value)


def unpadded(data: bytes, begin: int, end: int) -> tuple[int, int]:
    """Give where the content of a padded payload begins and ends.

    Raises:
        ConnectionFailed: the padding is longer than the payload.

    """
    if begin >= end:
        raise ConnectionFailed(FRAME_SIZE_ERROR, "a padded frame is empty")
    begin, padding = begin + 1, data[begin]
    if padding > end - begin:
        raise ConnectionFailed(PROTOCOL_ERROR, "a frame's padding is longer than the frame")
    return begin, end - padding
