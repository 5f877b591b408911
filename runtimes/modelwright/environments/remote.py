"""A model whose author's code runs in a process of its own, in an environment of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from modelwright.environments import Wanted, messages, store
from modelwright.environments.connection import Connection, gone
from modelwright.environments.description import Description
from modelwright.environments.interpreter import Interpreter
from modelwright.environments.process import Process
from modelwright.environments.values import Unreadable
from modelwright.errors import AuthorError, InferenceError, NotImplementedByModel
from modelwright.model import (
    Execution,
    HttpAnswer,
    HttpRequest,
    Model,
    ModelMetadata,
    OpenAIOperation,
    OwnRoute,
    Payload,
    V1Answer,
)
from modelwright.tensors import InferenceRequest, InferenceResponse

LOGGER = logging.getLogger("modelwright.environments")
# Seconds between two attempts at a model that does not load any more.
_PAUSE: Final = 2.0


class RemoteModel(Model):
    """One process runs the model, however many of the server's ask it: its weights are in memory once.

    `load` makes the environment, starts the process and waits for the model; `bind`, in each of the server's processes,
    connects and stays connected. While the process is gone the model is not ready and its callers get ModelNotReady.
    """

    def __init__(self, description: Description, style: str, wanted: Wanted, *, routes: bool = True) -> None:
        self.name = wanted.model_name or wanted.class_name or wanted.path.stem
        self.ready = False
        self._description = description
        self._style = style
        self._wanted = wanted
        self._metadata = ModelMetadata(self.name)
        self._streams = False
        self._operations: frozenset[OpenAIOperation] = frozenset()
        self._offers_routes = routes
        self._routes: tuple[OwnRoute, ...] = ()
        self._interpreter: Interpreter | None = None
        self._process: Process | None = None
        self._connection: Connection | None = None
        self._tried: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    def metadata(self) -> ModelMetadata:
        """Describe the model as its process did."""
        return self._metadata

    async def load(self) -> None:
        """Make the environment unless it is there, and load the model in it.

        Raises:
            EnvironmentUnusable: the environment cannot be had.
            AuthorError: the author's code raised, or its process died.

        """
        self._interpreter = await asyncio.to_thread(store.ready, self._description)
        self._process = self._started(self._interpreter)
        try:
            connection = await Connection.open(self._process.address)
        except OSError as error:
            self.unload()
            raise AuthorError(
                f"the process in its environment ended: {error}; its lines above may say why", ""
            ) from error
        except BaseException:
            self.unload()
            raise
        self._learn(connection.hello)
        # The loop that serves may be another one, in another process.
        connection.close()

    def bind(self, execution: Execution) -> None:
        """Connect, and stay connected, in the loop that runs."""
        if self._task is not None:
            self._task.cancel()
        self._tried = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._stay(getattr(execution, "threads", 1), self._tried))

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Have the process answer a V2 request."""
        value, _ = await (await self._connected()).ask("infer", messages.from_request(request))
        return messages.to_response(self.name, value)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have the process answer a V1 `:predict`."""
        return await self._v1("predict", payload, headers)

    async def explain_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have the process answer a V1 `:explain`."""
        return await self._v1("explain", payload, headers)

    async def _v1(self, method: str, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        asked = messages.from_payload(payload)
        (result, more), pieces = await (await self._connected()).ask("v1", method, asked, headers)
        return V1Answer(_payloads(pieces) if pieces is not None else messages.to_payload(result), more)

    @property
    def streams(self) -> bool:
        """Whether the model says that it streams."""
        return self._streams

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Have the process answer a V2 request piece by piece."""
        _, pieces = await (await self._connected()).ask("stream", messages.from_request(request))
        if pieces is None:
            raise NotImplementedByModel(f"model {self.name!r} does not stream")
        try:
            async for piece in pieces:
                yield messages.to_response(self.name, piece)
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """What the model says that it offers."""
        return self._operations

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Have the process answer an OpenAI request."""
        asked = messages.from_payload(payload)
        value, pieces = await (await self._connected()).ask("openai", operation.value, asked, headers)
        if pieces is not None:
            return _payloads(pieces)
        answer: dict[str, Any] = messages.to_payload(value)
        return answer

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """The routes that the model brings, answered by its process."""
        return self._routes

    def unload(self) -> None:
        """Leave the process; it unloads the model once every one of the server's has left."""
        self.ready = False
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._process is not None:
            self._process.release()
            self._process = None

    def _started(self, interpreter: Interpreter) -> Process:
        return Process(interpreter, self._description, self._style, self._wanted)

    async def _connected(self) -> Connection:
        if self._connection is None and self._tried is not None:
            # The first moments after `bind`; from then on it is set, whatever became of the connection.
            await self._tried.wait()
        if self._connection is None:
            raise gone()
        return self._connection

    async def _stay(self, threads: int, tried: asyncio.Event) -> None:
        try:
            while self._process is not None and self._interpreter is not None:
                try:
                    await self._use(await Connection.open(self._process.address), threads, tried)
                    LOGGER.error(
                        "model %r: its own process ended; requests are refused until the next has loaded", self.name
                    )
                except AuthorError as error:
                    LOGGER.error("model %r does not load any more", self.name, exc_info=error)
                    await self._pause(tried)
                except ConnectionResetError:
                    await self._pause(tried)
                except OSError:
                    LOGGER.error("model %r: what keeps its process is gone; it is started anew", self.name)
                    self._process.release()
                    self._process = self._started(self._interpreter)
        finally:
            self.ready = False

    async def _pause(self, tried: asyncio.Event) -> None:
        self.ready = False
        tried.set()
        await asyncio.sleep(_PAUSE)

    async def _use(self, connection: Connection, threads: int, tried: asyncio.Event) -> None:
        reading = asyncio.ensure_future(connection.run())
        try:
            await connection.ask("threads", threads)
            self._learn(connection.hello)
            self._connection = connection
            tried.set()
            await reading
        except (InferenceError, Unreadable) as error:
            LOGGER.error("model %r: %s", self.name, error)
        finally:
            self._connection, self.ready = None, False
            reading.cancel()
            connection.close()

    def _learn(self, hello: list[Any]) -> None:
        self.ready, metadata, self._streams, operations, routes = hello
        self._metadata = messages.to_metadata(self.name, metadata)
        self._operations = frozenset(map(OpenAIOperation, operations))
        offered = routes if self._offers_routes else []
        self._routes = tuple(OwnRoute(method, path, self._route(place)) for place, (method, path) in enumerate(offered))

    def _route(self, place: int) -> Callable[[HttpRequest], Awaitable[HttpAnswer]]:
        async def answer(request: HttpRequest) -> HttpAnswer:
            asked = [
                request.method, request.path, dict(request.path_parameters), request.query, dict(request.headers),
                request.body,
            ]  # fmt: skip
            (status, body, headers), pieces = await (await self._connected()).ask("route", place, asked)
            return HttpAnswer(status, body if pieces is None else pieces, headers)

        return answer


async def _payloads(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        async for piece in pieces:
            yield messages.to_payload(piece)
    finally:
        await pieces.aclose()  # type: ignore[attr-defined]
