"""A request's body, whole, within the limits."""

import asyncio
from collections.abc import Mapping

from modelwright.server.limits import decompress, too_large
from modelwright.server.rest.asgi import Receive

# How much of a refused body is read, and for how long, so that its sender gets to read the refusal.
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_SECONDS = 1.0


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


async def read(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """Read the body and undo its content encoding.

    Raises:
        TooLarge: it has, or says that it has, more than `limit` bytes, compressed or not.
        UnsupportedMediaType, InvalidInput: see `limits.decompress`.
        ClientLeft: there is nobody to answer.

    """
    length = headers.get("content-length")
    if length is not None and int(length) > limit:
        raise too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message["body"]
    if message["more_body"]:
        body = await _rest(receive, body, limit)
    if len(body) > limit:
        raise too_large(limit)
    encoding = headers.get("content-encoding")
    if encoding is None or encoding.strip().lower() in ("", "identity"):
        return body
    # In a thread, since a small body can hold much, and zlib lets go of the interpreter lock.
    return await asyncio.to_thread(decompress, body, encoding.strip().lower(), limit)


async def _rest(receive: Receive, first: bytes, limit: int) -> bytes:
    pieces, size, more = [first], len(first), True
    while more:
        if size > limit:
            raise too_large(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        pieces.append(message["body"])
        size += len(message["body"])
        more = message["more_body"]
    return b"".join(pieces)


async def discard(receive: Receive) -> None:
    """Read on for a moment without keeping anything.

    Closing a connection whose data is unread resets it, and the reset can overtake the answer.
    """
    size = 0
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while size < _LINGER_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    return
                size += len(message["body"])
    except TimeoutError:
        return
