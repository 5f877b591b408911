"""SETTINGS: what this server tells of itself, and what a client may say. Source: RFC 9113, section 6.5."""

from __future__ import annotations

import struct
from typing import Final

from modelwright.server.grpc.wire import frames
from modelwright.server.grpc.wire.frames import ConnectionFailed

HEADER_TABLE_SIZE: Final = 1
ENABLE_PUSH: Final = 2
MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6

# Calls on one connection at a time; --max_queue_size bounds those of all connections.
STREAMS: Final = 1024
# What a client may send of a stream before it is asked for more; nearly every message fits.
WINDOW: Final = 1024 * 1024
CONNECTION_WINDOW: Final = 16 * 1024 * 1024
FRAME: Final = 1024 * 1024
# What grpc's own servers take, in bytes as RFC 9113 counts them.
HEADER_LIST: Final = 16 * 1024
DEFAULT_WINDOW: Final = 65535
DEFAULT_FRAME: Final = 16384
DEFAULT_TABLE: Final = 4096

OURS: Final = frames.settings(
    (
        (MAX_CONCURRENT_STREAMS, STREAMS),
        (INITIAL_WINDOW_SIZE, WINDOW),
        (MAX_FRAME_SIZE, FRAME),
        (MAX_HEADER_LIST_SIZE, HEADER_LIST),
    )
) + frames.window_update(0, CONNECTION_WINDOW - DEFAULT_WINDOW)
ACKNOWLEDGED: Final = frames.frame(frames.SETTINGS, frames.ACK, 0)
_PAIR: Final = struct.Struct(">HI")


def read(data: bytes, begin: int, end: int) -> list[tuple[int, int]]:
    """Read a client's settings, in their order.

    Raises:
        ConnectionFailed: one is not what it may be.

    """
    if (end - begin) % _PAIR.size:
        raise ConnectionFailed(frames.FRAME_SIZE_ERROR, "SETTINGS do not come in six bytes each")
    pairs = [_PAIR.unpack_from(data, start) for start in range(begin, end, _PAIR.size)]
    for key, value in pairs:
        if key == ENABLE_PUSH and value > 1:
            raise ConnectionFailed(frames.PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH is neither 0 nor 1")
        if key == INITIAL_WINDOW_SIZE and value > frames.LARGEST:
            raise ConnectionFailed(frames.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE is too large")
        if key == MAX_FRAME_SIZE and not DEFAULT_FRAME <= value < 2**24:
            raise ConnectionFailed(frames.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE is out of range")
    return [(int(key), int(value)) for key, value in pairs]
