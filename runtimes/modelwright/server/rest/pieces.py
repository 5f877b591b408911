"""Answers in pieces, on their way to clients that may stop reading."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from modelwright.server.rest.bodies import ClientLeft
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.wire.request import Request

# Seconds for which a client may take nothing of a stream; past them it counts as gone.
_PATIENCE: Final = 60.0


async def send_pieces(
    request: Request,
    status: int,
    headers: Headers,
    pieces: AsyncIterator[bytes],
    *,
    close: bool = False,
    patience: float = _PATIENCE,
) -> None:
    """Send a body whose length nobody knows, chunked: a piece is asked for when the one before is on its way.

    The iterator is closed, whatever happens. Raises ClientLeft when nothing was taken for `patience` seconds.
    """

    async def room() -> None:
        if request.blocked:
            try:
                async with asyncio.timeout(patience):
                    await request.room()
            except TimeoutError:
                request.abort()
                raise ClientLeft from None

    try:
        await room()
        request.begin(status, headers, None, close=close)
        async for piece in pieces:
            await room()
            request.write(piece)
            # Code that never waits, sent to a client that always reads, would not let anybody else have the event loop.
            await asyncio.sleep(0)
        await room()
        request.end()
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()
