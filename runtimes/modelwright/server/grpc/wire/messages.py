"""gRPC's messages: each behind a byte that says whether it is compressed, and its length in four."""

from __future__ import annotations

import struct
from typing import Final

from modelwright.errors import InvalidInput, TooLarge, UnsupportedMediaType
from modelwright.server.grpc.wire.status import CallRefused, StatusCode
from modelwright.server.limits import decompress

PREFIX: Final = struct.Struct(">BI")
PREFIX_SIZE: Final = 5
# Bytes of a status' message, of which one may become three: clients take 8 KiB of metadata.
_LONGEST: Final = 2048
ENCODINGS: Final = ("identity", "deflate", "gzip")


class Arriving:
    """One message that comes in pieces, none of which is copied before the last is there."""

    __slots__ = ("_compressed", "_limit", "_pieces", "_prefix", "missing", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._prefix = b""
        self._compressed = False
        self._pieces: list[memoryview] = []
        # Bytes; None until the prefix is whole.
        self.missing: int | None = None
        # Bytes as it comes, with its prefix, once that is whole.
        self.size = 0

    def take(self, chunk: memoryview) -> memoryview:
        """Take what belongs to this message, and give what is behind it.

        Raises:
            CallRefused: the message is longer than it may be, or its prefix is none.

        """
        if self.missing is None:
            lacking = PREFIX_SIZE - len(self._prefix)
            self._prefix += bytes(chunk[:lacking])
            chunk = chunk[lacking:]
            if len(self._prefix) < PREFIX_SIZE:
                return chunk
            flag, self.missing = PREFIX.unpack(self._prefix)
            self.size = PREFIX_SIZE + self.missing
            self._compressed = checked(flag, self.missing, self._limit)
        piece = chunk[: self.missing]
        self.missing -= len(piece)
        self._pieces.append(piece)
        return chunk[len(piece) :]

    def whole(self, encoding: str) -> bytes:
        """Give the message, uncompressed.

        Raises:
            CallRefused: it cannot be decompressed, or is longer than it may be then.

        """
        message = b"".join(self._pieces)
        return decompressed(message, encoding, self._limit) if self._compressed else message


def checked(flag: int, size: int, limit: int) -> bool:
    """Read a prefix, and give whether a compressed message follows.

    Raises:
        CallRefused: the message is longer than it may be, or the prefix is none.

    """
    if flag > 1:
        raise CallRefused(StatusCode.INTERNAL, f"a message begins with {flag}, which is neither 0 nor 1 (compressed)")
    if size > limit:
        raise CallRefused(StatusCode.RESOURCE_EXHAUSTED, f"received message larger than max ({size} vs. {limit})")
    return flag == 1


def decompressed(message: bytes, encoding: str, limit: int) -> bytes:
    """Undo a message's grpc-encoding.

    Raises:
        CallRefused: the encoding is not one of ours, the message is not in it, or it is longer than `limit` bytes.

    """
    if encoding == "identity":
        raise CallRefused(StatusCode.INTERNAL, "a message says that it is compressed, and there is no grpc-encoding")
    try:
        return decompress(message, encoding, limit)
    except TooLarge:
        told = f"received message larger than max (decompressed, {limit})"
        raise CallRefused(StatusCode.RESOURCE_EXHAUSTED, told) from None
    except (InvalidInput, UnsupportedMediaType):
        raise CallRefused(StatusCode.INTERNAL, f"a message is not {encoding}, as grpc-encoding says") from None


def percent_encoded(message: str) -> str:
    """Write a status' message as grpc-message has it, cut off where it is longer than clients take."""
    data = message.encode()[:_LONGEST]
    if all(0x20 <= byte <= 0x7E and byte != 0x25 for byte in data):
        return data.decode()
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02X}" for byte in data)
