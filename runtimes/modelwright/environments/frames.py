"""Frames on a stream: four bytes that say whose they are, a kind, the call's number, a length, and one value."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from modelwright.environments.values import Buffer, Unreadable, encode

if TYPE_CHECKING:
    import socket

    from modelwright.scale.arena import Outgoing

_MAGIC: Final = b"MWE1"
HEADER: Final = struct.Struct("<4sBQQ")
# Bytes; of the server's own limits on bodies none is larger by default, and numbers beyond it are no length.
_LARGEST: Final = 16 * 1024**3


class Kind(IntEnum):
    """What a frame says: HELLO or FAILED is the child's first word; CALL, CANCEL and MORE are the server's.

    A call ends with ANSWER or ERROR, or, where it streams, with END after its PIECEs, of which MORE asks for some more.
    """

    HELLO = 1
    FAILED = 2
    CALL = 3
    CANCEL = 4
    MORE = 5
    ANSWER = 6
    ERROR = 7
    PIECE = 8
    END = 9


def pack(kind: Kind, call: int, value: object, outgoing: Outgoing | None = None) -> list[bytes | memoryview]:
    """Give a frame in pieces, large arrays in an arena; raises Unreadable for a value that has no bytes."""
    parts = encode(value, outgoing)
    return [HEADER.pack(_MAGIC, kind, call, sum(map(len, parts))), *parts]


def header(content: Buffer) -> tuple[Kind, int, int]:
    """Give what a frame says, whose it is, and how many bytes its value has; raises Unreadable for what is no frame."""
    magic, kind, call, length = HEADER.unpack_from(content)
    if magic != _MAGIC or length > _LARGEST or kind not in Kind._value2member_map_:
        raise Unreadable("not a frame of Modelwright's; two versions of it may have met")
    return Kind(kind), call, length


def send_now(connection: socket.socket, kind: Kind, value: object) -> None:
    """Send one frame of no call's on a blocking socket; one whose other side is gone hears nothing."""
    try:
        connection.sendall(b"".join(pack(kind, 0, value)))
    except OSError:
        return
