"""The process that runs one model in its own environment: it answers what the server's processes ask on a socket."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from modelwright.environments import frames, messages, sharing
from modelwright.environments.frames import Kind
from modelwright.environments.values import Unreadable
from modelwright.environments.wire import Wire
from modelwright.errors import InferenceError
from modelwright.model import HttpRequest, Model, OpenAIOperation
from modelwright.scale.arena import NO_ARENAS, Arenas

LOGGER = logging.getLogger("modelwright.environments")
Answer = TypeVar("Answer")
# Seconds; within which the server asks why a model did not load.
_PATIENCE: Final = 30.0
# Pieces of a stream that may be under way unasked for; the server asks for more of them as its client takes them.
WINDOW: Final = 16


def serve(make: Callable[[], Model], listening: socket.socket, loaded: Callable[[], None]) -> int:
    """Load the model, call `loaded`, answer until SIGTERM, unload; give the exit code."""
    with asyncio.Runner() as runner:
        try:
            model = make()
            runner.run(model.load())
        except Exception as error:
            _refuse(listening, error)
            return 1
        loaded()
        runner.run(_answer_until_told(model, listening))
    return 0


def _refuse(listening: socket.socket, error: Exception) -> None:
    listening.settimeout(_PATIENCE)
    try:
        connection, _ = listening.accept()
    except TimeoutError:
        return
    with connection:
        frames.send_now(connection, Kind.FAILED, messages.from_error(error))


async def _answer_until_told(model: Model, listening: socket.socket) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    place = Threads()
    model.bind(place)
    taking = asyncio.create_task(sharing.accept(listening, lambda arenas: Answering(model, place, arenas).wire))
    await stop.wait()
    taking.cancel()
    model.unload()


class Threads:
    """Where the author's synchronous code runs here: one thread, or as many as the server was told."""

    def __init__(self) -> None:
        self.count = 1
        self._pool = ThreadPoolExecutor(1, "model")

    def resize(self, count: int) -> None:
        """Have so many threads from now on."""
        if count != self.count:
            self.count, former = count, self._pool
            self._pool = ThreadPoolExecutor(count, "model")
            former.shutdown(wait=False)

    def call(self, function: Callable[..., Answer], *arguments: object) -> Awaitable[Answer]:
        """Run `function(*arguments)` in a thread and give its result."""
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(self._pool, lambda: context.run(function, *arguments))


class Answering:
    """One process of the server's, and what it has asked."""

    def __init__(self, model: Model, place: Threads, arenas: Arenas = NO_ARENAS) -> None:
        self._model = model
        self._place = place
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._windows: dict[int, asyncio.Semaphore] = {}
        self.wire = Wire(self._take, self._greet, arenas)
        self.wire.ended.add_done_callback(self._ended)

    def _greet(self) -> None:
        """Describe the model, which is the first that the other side hears."""
        model = self._model
        routes = [[each.method, each.path] for each in model.own_routes]
        operations = [each.value for each in model.openai_operations]
        metadata = messages.from_metadata(model.metadata())
        self.wire.send_now(Kind.HELLO, 0, [model.ready, metadata, model.streams, operations, routes])

    def _ended(self, ended: asyncio.Future[None]) -> None:
        if ended.exception() is not None:
            LOGGER.error("%s", ended.exception())
        for task in self._tasks.values():
            task.cancel()

    def _take(self, kind: Kind, call: int, value: Any) -> None:  # noqa: ANN401
        if kind is Kind.CALL:
            task = asyncio.get_running_loop().create_task(self._answer(call, value))
            self._tasks[call] = task
            task.add_done_callback(lambda _: self._tasks.pop(call, None))
        elif kind is Kind.CANCEL and call in self._tasks:
            self._tasks[call].cancel()
        elif kind is Kind.MORE and call in self._windows:
            for _ in range(value):
                self._windows[call].release()

    async def _answer(self, call: int, value: list[Any]) -> None:
        try:
            method, *arguments = value
            answer, pieces = await getattr(self, f"_do_{method}")(*arguments)
            await self.wire.send(Kind.ANSWER, call, [answer, pieces is not None])
            if pieces is not None:
                await self._stream(call, pieces)
        except ConnectionError:
            return
        except Exception as error:
            refusal = InferenceError(f"the model's answer: {error}") if isinstance(error, Unreadable) else error
            await self.wire.send(Kind.ERROR, call, messages.from_error(refusal))

    async def _stream(self, call: int, pieces: AsyncIterator[Any]) -> None:
        window = self._windows[call] = asyncio.Semaphore(WINDOW)
        try:
            async for piece in pieces:
                await window.acquire()
                await self.wire.send(Kind.PIECE, call, piece)
            await self.wire.send(Kind.END, call, None)
        finally:
            del self._windows[call]
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    async def _do_threads(self, count: int) -> tuple[None, None]:
        self._place.resize(count)
        return None, None

    async def _do_infer(self, request: list[Any]) -> tuple[Any, None]:
        return messages.from_response(await self._model.infer(messages.to_request(request))), None

    async def _do_v1(self, method: str, payload: list[Any], headers: dict[str, str]) -> tuple[Any, Any]:
        asked = self._model.explain_v1 if method == "explain" else self._model.predict_v1
        answer = await asked(messages.to_payload(payload), headers)
        if isinstance(answer.result, AsyncIterator):
            return [None, dict(answer.headers)], _payloads(answer.result)
        return [messages.from_payload(answer.result), dict(answer.headers)], None

    async def _do_stream(self, request: list[Any]) -> tuple[None, AsyncIterator[Any]]:
        return None, _responses(self._model.stream(messages.to_request(request)))

    async def _do_openai(self, operation: str, payload: list[Any], headers: dict[str, str]) -> tuple[Any, Any]:
        answer = await self._model.openai(OpenAIOperation(operation), messages.to_payload(payload), headers)
        if isinstance(answer, AsyncIterator):
            return None, _payloads(answer)
        return messages.from_payload(answer), None

    async def _do_route(self, place: int, asked: list[Any]) -> tuple[list[Any], AsyncIterator[bytes] | None]:
        answer = await self._model.own_routes[place].answer(HttpRequest(*asked))
        pieces = answer.body if isinstance(answer.body, AsyncIterator) else None
        return [answer.status, None if pieces is not None else answer.body, dict(answer.headers)], pieces


async def _payloads(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for piece in pieces:
        yield messages.from_payload(piece)


async def _responses(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for piece in pieces:
        yield messages.from_response(piece)
