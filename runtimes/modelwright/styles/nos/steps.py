"""A generator of the author's, stepped through beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextvars import Context
from functools import partial
from threading import Lock
from typing import Any, Final

from modelwright.model import Execution

_END: Final[Any] = object()


async def steps(execution: Execution, source: Iterator[Any] | AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield what `source` yields; closing this closes it."""
    if isinstance(source, AsyncIterator):
        try:
            async for piece in source:
                yield piece
        finally:
            aclose = getattr(source, "aclose", None)
            if aclose is not None:
                await aclose()
        return
    stepper = _Stepper(source)
    try:
        while (piece := await execution.call(stepper)) is not _END:
            yield piece
    finally:
        # In an empty context, which has no caller: nothing is begun any more for one that has left.
        await asyncio.get_running_loop().create_task(_closed(execution, stepper), context=Context())


async def _closed(execution: Execution, stepper: _Stepper) -> None:
    # A partial has no code of its own, and what has none is never run on the event loop.
    await execution.call(partial(stepper.close))


class _Stepper:
    """Called for the next piece. An object and no function: see `_closed`."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        # A step that nobody awaits any more may still run in its thread when the iterator is closed.
        self._lock = Lock()

    def __call__(self) -> Any:  # noqa: ANN401 - the author's
        with self._lock:
            return next(self._source, _END)

    def close(self) -> None:
        close = getattr(self._source, "close", None)
        with self._lock:
            if close is not None:
                close()
