"""The server's side of a connection to a model's own process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

from modelwright.environments import messages, sharing
from modelwright.environments.child import WINDOW
from modelwright.environments.frames import Kind
from modelwright.environments.values import Unreadable
from modelwright.environments.wire import Wire
from modelwright.errors import InferenceError, ModelNotReady


class Connection:
    """One event loop's connection; many calls at a time share it. `hello` is what the process said of its model."""

    def __init__(self, wire: Wire, hello: list[Any]) -> None:
        self.hello = hello
        self._wire = wire
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}
        self._streams: dict[int, asyncio.Queue[Any]] = {}
        wire.take = self._take

    @classmethod
    async def open(cls, address: str) -> Connection:
        """Connect, and wait until the model there has loaded.

        Raises:
            AuthorError: it did not load.
            OSError: there is nobody at that address.

        """
        loop = asyncio.get_running_loop()
        first: asyncio.Future[tuple[Kind, Any]] = loop.create_future()
        wire = await sharing.connect(
            address, lambda arenas: Wire(lambda kind, _, value: first.set_result((kind, value)), arenas=arenas)
        )
        try:
            either: set[asyncio.Future[Any]] = {first, wire.ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                wire.ended.result()
                raise ConnectionResetError("the model's process ended")
            kind, value = first.result()
            if kind is Kind.FAILED:
                raise messages.to_error(value)
        except BaseException:
            wire.close()
            raise
        return cls(wire, value)

    async def run(self) -> None:
        """Wait until the other side is gone; raises Unreadable where it sent what is no frame."""
        await asyncio.shield(self._wire.ended)

    def close(self) -> None:
        """End the connection; every call under way ends with ModelNotReady."""
        self._wire.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(gone())
        for queue in self._streams.values():
            queue.put_nowait(gone())
        self._answers.clear()
        self._streams.clear()

    async def ask(self, *words: object) -> tuple[Any, AsyncIterator[Any] | None]:
        """Ask, and give the answer and, where it streams, its pieces.

        Raises:
            ModelNotReady: the process ended before it had answered.
            InferenceError: what the model refused.
            AuthorError: what the author's code raised.

        """
        call = next(self._numbers)
        answer = self._answers[call] = asyncio.get_running_loop().create_future()
        try:
            await self._wire.send(Kind.CALL, call, words)
            value, streams = await answer
        except asyncio.CancelledError:
            self.tell(Kind.CANCEL, call, None)
            raise
        except ConnectionError:
            raise gone() from None
        except Unreadable as error:
            raise InferenceError(f"the request: {error}") from error
        finally:
            self._answers.pop(call, None)
            if answer.done() and not answer.cancelled():
                # Asked for, so that asyncio does not report it where the write had failed before.
                answer.exception()
        return value, _Pieces(self, call) if streams else None

    def _take(self, kind: Kind, call: int, value: Any) -> None:  # noqa: ANN401
        answer, queue = self._answers.get(call), self._streams.get(call)
        if kind is Kind.ANSWER and answer is not None:
            if value[1]:
                # Here, since its first pieces may be read before whoever asked runs again.
                self._streams[call] = asyncio.Queue()
            if not answer.done():
                answer.set_result(value)
        elif kind is Kind.ERROR:
            error = messages.to_error(value)
            if queue is not None:
                queue.put_nowait(error)
            elif answer is not None and not answer.done():
                answer.set_exception(error)
        elif queue is not None:
            queue.put_nowait((kind, value))

    def tell(self, kind: Kind, call: int, value: object) -> None:
        """Send what is no call, if there is anybody to hear it."""
        try:
            self._wire.send_now(kind, call, value)
        except ConnectionError:
            return


class _Pieces(AsyncIterator[Any]):
    """What a call streams; closing it gives up what has not been computed."""

    def __init__(self, connection: Connection, call: int) -> None:
        self._connection = connection
        self._call = call
        self._queue = connection._streams.get(call)
        self._taken = 0

    async def __anext__(self) -> Any:  # noqa: ANN401
        if self._queue is None:
            raise StopAsyncIteration
        found = await self._queue.get()
        if isinstance(found, Exception):
            self._forget()
            raise found
        kind, value = found
        if kind is Kind.END:
            self._forget()
            raise StopAsyncIteration
        self._taken += 1
        if self._taken == WINDOW // 2:
            self._taken = 0
            self._connection.tell(Kind.MORE, self._call, WINDOW // 2)
        return value

    async def aclose(self) -> None:
        """Tell the other side that nobody wants the rest."""
        if self._queue is not None:
            self._forget()
            self._connection.tell(Kind.CANCEL, self._call, None)

    def _forget(self) -> None:
        self._queue = None
        self._connection._streams.pop(self._call, None)


def gone() -> ModelNotReady:
    """Give what the callers of a process that ended are told."""
    return ModelNotReady("the model's own process ended and is being started anew; try again in a moment")
