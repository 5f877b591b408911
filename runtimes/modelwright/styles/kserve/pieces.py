"""What an author's method yields, piece by piece: asynchronous code on the event loop, synchronous code beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from contextvars import Context
from functools import partial
from threading import Lock
from typing import Any, Final

from modelwright.errors import InvalidInput
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.inline import Call
from modelwright.styles.kserve.refusals import raise_for_the_caller

_END: Final[Any] = object()


def yields(result: Foreign) -> bool:
    """Tell whether a result comes in pieces: a generator, or another iterator, asynchronous or not."""
    return isinstance(result, (AsyncIterator, Iterator))


async def pieces(call: Call, result: Foreign) -> AsyncGenerator[Any, None]:
    """Yield the pieces of a result, which is the only one where it does not come in pieces.

    Synchronous code runs through `call`, one step at a time. What the author's code raises for the caller is raised as
    `modelwright.errors` has it.
    """
    if not yields(result):
        yield result
        return
    source = result if isinstance(result, AsyncIterator) else _beside(call, result)
    try:
        async for piece in source:
            yield piece
    except Exception as raised:
        raise_for_the_caller(raised)
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


async def only(call: Call, result: Foreign) -> Foreign:
    """Give the one piece of a result.

    Raises:
        InvalidInput: there are none or several; only a stream can carry them.

    """
    async with aclosing(pieces(call, result)) as source:
        first = await anext(source, _END)
        if first is not _END and await anext(source, _END) is _END:
            return first
    raise InvalidInput("the model answers this request in pieces; ask for infer_stream, or ModelStreamInfer over gRPC")


async def _beside(call: Call, iterator: Iterator[Any]) -> AsyncIterator[Any]:
    steps = _Steps(iterator)
    try:
        while (piece := await call(steps)) is not _END:
            yield piece
    finally:
        # In an empty context, which has no caller: nothing is begun any more for one that has left.
        await asyncio.get_running_loop().create_task(_closed(call, steps), context=Context())


async def _closed(call: Call, steps: _Steps) -> None:
    # A partial has no code of its own, and what has none is never run on the event loop.
    await call(partial(steps.close))


class _Steps:
    """A synchronous iterator, called for its next piece. An object and no function: see `_closed`."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator
        # A step that nobody awaits any more may still run in its thread when the iterator is closed.
        self._lock = Lock()

    def __call__(self) -> Foreign:
        with self._lock:
            return next(self._iterator, _END)

    def close(self) -> None:
        close = getattr(self._iterator, "close", None)
        with self._lock:
            if close is not None:
                close()
