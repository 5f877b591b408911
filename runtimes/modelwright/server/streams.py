"""An answer in pieces: each computed when the client has taken the one before, and all given up when it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from modelwright.errors import DeadlineExceeded, InferenceError, ModelNotReady
from modelwright.model import Model
from modelwright.server.caller import Caller
from modelwright.server.failure import failed
from modelwright.server.rest import sse
from modelwright.server.rest.replies import told
from modelwright.tensors import InferenceRequest, InferenceResponse

Piece = TypeVar("Piece")
_END: Final[Any] = object()


class CutOff(Exception):
    """The stream broke in a form that cannot say so; its connection is to end before its body does."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an error, with its request id, and the end are written; a form without `error` breaks off instead."""

    error: Callable[[InferenceError, str], bytes] | None = None
    last: bytes = b""


EVENTS: Final = Form(lambda error, request_id: sse.event(told(error, request_id), b"error"))
PLAIN: Final = Form()


async def pieces_of(model: Model, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
    """Answer piece by piece; a model that does not stream gives its answer as the only piece."""
    if not model.streams:
        yield await model.infer(request)
        return
    pieces = model.stream(request)
    try:
        async for piece in pieces:
            yield piece
    finally:
        await close(pieces)


async def close(pieces: AsyncIterator[Any]) -> None:
    """Give up what an iterator has not computed, where it is one that can be told."""
    aclose = getattr(pieces, "aclose", None)
    if aclose is not None:
        await aclose()


class Stream(AsyncIterator[bytes], Generic[Piece]):
    """The body of an answer in pieces. Whoever has one must `aclose` it; `on_end` is called once, at its end."""

    def __init__(
        self,
        pieces: AsyncIterator[Piece],
        write: Callable[[Piece], bytes],
        caller: Caller,
        until: float | None,
        form: Form,
    ) -> None:
        self.on_end: Callable[[], None] | None = None
        self._pieces = pieces
        self._write = write
        self._caller = caller
        self._until = until
        self._form = form
        self._first: bytes | None = None
        self._exhausted = self._ended = self._closed = False
        # An author's asynchronous code is cancelled when its caller leaves, wherever it waits.
        caller.task = asyncio.current_task()

    async def begin(self) -> Piece | None:
        """Compute the first piece, so that what is wrong until then gets an ordinary answer; None where there is none.

        Raises:
            InferenceError: what the caller is told.
            Exception: whatever the author's code raised.

        """
        try:
            piece = await self._next()
            if piece is _END:
                self._exhausted = True
                return None
            self._first = self._write(piece)
        except BaseException:
            await self.aclose()
            raise
        return piece

    async def __anext__(self) -> bytes:
        """Give the next part of the body.

        Raises:
            CutOff: the stream broke, and its form cannot say so.

        """
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if not self._ended:
            try:
                piece = _END if self._exhausted else await self._next()
                if piece is not _END:
                    return self._write(piece)
                last = self._form.last
            except (Exception, asyncio.CancelledError) as error:
                last = self._broken(error)
            # The client hears of an end before the author's code has cleaned up.
            self._ended = True
            if last:
                return last
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the stream, wherever it is."""
        if self._closed:
            return
        self._closed = self._ended = True
        try:
            await close(self._pieces)
        except Exception:
            # The caller has its answer, or is gone.
            failed("the end of a stream", self._caller.request_id)
        finally:
            self._caller.task = None
            if self.on_end is not None:
                self.on_end()

    async def _next(self) -> Piece:
        if self._until is None:
            return await anext(self._pieces, _END)
        try:
            async with asyncio.timeout_at(self._until) as limit:
                return await anext(self._pieces, _END)
        except TimeoutError:
            if limit.expired():
                raise DeadlineExceeded("the stream did not end within the time that the caller allowed") from None
            raise

    def _broken(self, error: BaseException) -> bytes:
        if isinstance(error, asyncio.CancelledError):
            if self._caller.gone:
                raise error
            error = ModelNotReady("the server stopped before the model had answered")
        elif not isinstance(error, InferenceError):
            error = failed("a stream", self._caller.request_id)
        # As what it is, though its status was another when it began.
        self._caller.count(int(error.status))
        if self._form.error is None:
            raise CutOff from error
        return self._form.error(error, self._caller.request_id)
