"""A request's body, whole, within the limits."""

import asyncio
from collections.abc import Mapping

from modelwright.server.limits import decompress, too_large
from modelwright.server.rest.wire.request import Request


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


async def read(request: Request, headers: Mapping[str, str], limit: int) -> bytes:
    """Read the body and undo its content encoding.

    Raises:
        TooLarge: it has, or says that it has, more than `limit` bytes, compressed or not.
        UnsupportedMediaType, InvalidInput: see `limits.decompress`.
        ClientLeft: there is nobody to answer.

    """
    length = headers.get("content-length")
    if length is not None and int(length) > limit:
        raise too_large(limit)
    if not request.whole:
        await request.arrive(limit)
    if request.gone:
        raise ClientLeft
    if request.size > limit:
        raise too_large(limit)
    encoding = headers.get("content-encoding")
    if encoding is None or encoding.strip().lower() in ("", "identity"):
        return request.body()
    # In a thread, since a small body can hold much, and zlib lets go of the interpreter lock.
    return await asyncio.to_thread(decompress, request.body(), encoding.strip().lower(), limit)
