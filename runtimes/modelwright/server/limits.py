"""What the server refuses in order to stay up: too much waiting, too much at once, too late."""

import asyncio
import math
import zlib
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from modelwright.errors import DeadlineExceeded, InvalidInput, TooLarge, UnsupportedMediaType

DEADLINE_HEADER = "x-request-timeout"
# A request may come this slowly, in bytes a second, once --body_timeout is used up.
SLOWEST_BODY = 16 * 1024
Result = TypeVar("Result")
# What zlib is given and asked for at a time, so that a bomb is noticed long before it fills the memory.
_STEP = 256 * 1024


def deadline(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that the caller will wait, from `X-Request-Timeout`, or None.

    Raises:
        InvalidInput: the header is no positive number.

    """
    text = headers.get(DEADLINE_HEADER)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidInput(f"the header {DEADLINE_HEADER} is no number of seconds above 0")
    return seconds


def moment(seconds: float | None) -> float | None:
    """Give the moment of the event loop's clock that lies so many seconds ahead."""
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


async def in_time(work: Awaitable[Result], seconds: float | None) -> Result:
    """Wait for `work`, which is cancelled when the caller's time is over.

    Raises:
        DeadlineExceeded: it is.

    """
    if seconds is None:
        return await work
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise DeadlineExceeded(f"no answer within the {seconds:g} s that the caller allowed") from None
        raise


def too_large(limit: int) -> TooLarge:
    """Say that a body is larger than `limit` bytes."""
    return TooLarge(f"the body is larger than {limit} bytes; the limit is the server's --max_body_size_mb")


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding of gzip or deflate (zlib or raw), giving at most `limit` bytes.

    Raises:
        UnsupportedMediaType: another encoding, or more than one.
        TooLarge: what comes out is larger than `limit`.
        InvalidInput: the body is not what its encoding says, or ends early.

    """
    if encoding in ("gzip", "x-gzip"):
        windows = [zlib.MAX_WBITS | 16]
    elif encoding == "deflate":
        # RFC 9110 says zlib; some clients send the raw stream.
        windows = [zlib.MAX_WBITS, -zlib.MAX_WBITS]
    else:
        raise UnsupportedMediaType("the header content-encoding must be gzip, deflate or identity")
    for window in windows:
        try:
            return _inflate(body, window, limit)
        except zlib.error:
            continue
    raise InvalidInput(f"the body is not {encoding}, as its content-encoding says")


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    stream = zlib.decompressobj(window)
    pieces, size, position = [], 0, 0
    while not stream.eof:
        chunk = stream.unconsumed_tail
        if not chunk:
            chunk = body[position : position + _STEP]
            position += len(chunk)
        piece = stream.decompress(chunk, _STEP)
        # Without input zlib may still give what it held back; without either the body is over.
        if not chunk and not piece:
            raise InvalidInput("the compressed body ends too early")
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise too_large(limit)
    if stream.unused_data or position < len(body):
        raise InvalidInput("the compressed body goes on after its end")
    return b"".join(pieces)
