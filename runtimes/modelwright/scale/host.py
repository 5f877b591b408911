"""What runs in a Ray actor: one object of the author's, and the calls that it is given."""

from __future__ import annotations

import asyncio
import inspect
import resource
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

from modelwright.scale.surroundings import Surroundings

_END: Final = object()


@dataclass(frozen=True, slots=True)
class Streaming:
    """An answer in pieces, each of which is to be asked for by the stream's number."""

    number: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What follows the last piece."""


class Host:
    """An asynchronous actor: coroutines run on its event loop, synchronous code in a thread beside it.

    What the author's code raises is raised to the caller, by Ray.
    """

    def __init__(self, surroundings: Surroundings, factory: Sequence[Any]) -> None:
        """Take the reference of a pickled factory, in a sequence, which Ray leaves alone until it can be read."""
        surroundings.take()
        self._factory = factory[0]
        self._made: Any = None
        # One, since author's code may rely on being called from the thread that made the object.
        self._thread = ThreadPoolExecutor(1, "author")
        self._streams: dict[int, AsyncIterator[Any] | Iterator[Any]] = {}
        self._numbers = count(1)

    async def start(self) -> None:
        """Make the object."""
        factory = await self._factory
        made = factory() if _is_asynchronous(factory) else await self._beside(factory)
        self._made = await made if inspect.isawaitable(made) else made

    async def call(self, method: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the author's
        """Call a method; give what it returns, or `Streaming` where that comes in pieces."""
        function = getattr(self._made, method)
        called = partial(function, **arguments)
        result = called() if _is_asynchronous(function) else await self._beside(called)
        result = await result if inspect.isawaitable(result) else result
        if not isinstance(result, AsyncIterator | Iterator):
            return result
        number = next(self._numbers)
        self._streams[number] = result
        return Streaming(number)

    async def piece(self, number: int) -> Any:  # noqa: ANN401 - the author's
        """Give a stream's next piece, or `Ended`."""
        stream = self._streams[number]
        try:
            if isinstance(stream, AsyncIterator):
                piece = await anext(stream, _END)
            else:
                piece = await self._beside(partial(next, stream, _END))
        except BaseException:
            del self._streams[number]
            raise
        if piece is not _END:
            return piece
        del self._streams[number]
        return Ended()

    async def leave(self, number: int) -> None:
        """End a stream before its last piece; nothing where it is over."""
        stream = self._streams.pop(number, None)
        if isinstance(stream, AsyncIterator):
            aclose = getattr(stream, "aclose", None)
            if aclose is not None:
                await aclose()
        elif stream is not None and hasattr(stream, "close"):
            await self._beside(stream.close)

    async def live(self) -> None:
        """Return never, so that whoever awaits it is told of this process's end."""
        await asyncio.Event().wait()

    async def weight(self) -> int:
        """Give the most memory that this process has had, in bytes."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    async def _beside(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - the author's
        return await asyncio.wrap_future(self._thread.submit(function))


def _is_asynchronous(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
