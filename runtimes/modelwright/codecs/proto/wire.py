"""The few bytes of protobuf's wire format that we read and write ourselves, so that large contents are not copied.

protobuf copies a `bytes` field twice on its way to Python. Here the raw contents are cut out of the message as views,
and only the rest, a few hundred bytes, is parsed. Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

Content: TypeAlias = bytes | memoryview

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5
# A message that is not small, so that cutting it costs less than copying it.
_WORTH_CUTTING: Final = 16 * 1024


class _Malformed(Exception):
    """The bytes are not a message that we know how to cut."""


def cut(message: bytes, number: int) -> tuple[bytes, list[memoryview]]:
    """Take the length-delimited fields `number` out of a message: what is left of it, and views of their contents.

    A message that is small, or that is not well-formed, comes back whole: the parser of the rest is its judge.
    """
    if len(message) < _WORTH_CUTTING:
        return message, []
    try:
        return _cut(message, number)
    except _Malformed:
        return message, []


def _cut(message: bytes, number: int) -> tuple[bytes, list[memoryview]]:
    view = memoryview(message)
    rest: list[memoryview] = []
    taken: list[memoryview] = []
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        size, position = _size(message, position, tag & 7)
        end = position + size
        if end > len(message):
            raise _Malformed
        if tag == number << 3 | _LENGTH:
            taken.append(view[position:end])
        else:
            rest.append(view[start:end])
        position = end
    return b"".join(rest), taken


def _size(message: bytes, position: int, kind: int) -> tuple[int, int]:
    if kind == _LENGTH:
        return _varint(message, position)
    if kind == _VARINT:
        return 0, _varint(message, position)[1]
    if kind == _FIXED64:
        return 8, position
    if kind == _FIXED32:
        return 4, position
    raise _Malformed


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(message):
            raise _Malformed
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _Malformed


def append(message: bytes, number: int, contents: Iterable[Content]) -> bytes:
    """Add length-delimited fields `number` to the end of a serialized message."""
    pieces: list[bytes | memoryview] = [message]
    for content in contents:
        pieces.append(header(number, content.nbytes if isinstance(content, memoryview) else len(content)))
        pieces.append(content)
    return b"".join(pieces) if len(pieces) > 1 else message


def header(number: int, size: int) -> bytes:
    """Give the tag and length that stand before `size` bytes of the length-delimited field `number`."""
    encoded = bytearray()
    for value in (number << 3 | _LENGTH, size):
        rest = value
        while rest > 0x7F:
            encoded.append(rest & 0x7F | 0x80)
            rest >>= 7
        encoded.append(rest)
    return bytes(encoded)
