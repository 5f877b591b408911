"""How far one request is taken: each stage goes on where the one before ends, so that their difference is a piece."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

from modelwright.codecs import v2
from modelwright.model import Model, Repository
from modelwright.server import declared, log
from modelwright.server.arguments import Arguments
from modelwright.server.execution import Execution
from modelwright.server.health import Health
from modelwright.server.metrics.counts import Metrics
from modelwright.server.rest.application import Application
from modelwright.server.rest.replies import to_bytes
from modelwright.server.rest.wire.connection import Connection
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.rest.wire.request import Request
from modelwright.server.rest.wire.terms import Open, Terms
from modelwright.server.setup import Setup
from modelwright.tensors import InferenceRequest, InferenceResponse
from modelwright.timings import TIMINGS, Timings

STAGES = ("none", "read", "infer", "write", "count", "wire", "whole")
_PATH = "/v2/models/model/infer"
# What every answer begins with, whatever else a style adds to it.
_OK = b"HTTP/1.1 200 "


class Transport:
    """A connection's other end, which takes what is written and keeps the last of it."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written = data

    def is_closing(self) -> bool:
        return False


class Stages:
    """The stages, for one loaded model; each method takes one request that far. To be made on the event loop."""

    def __init__(self, models: Repository, body: bytes) -> None:
        arguments = Arguments()
        log.configure(arguments)
        self._model: Model = models.get("model")
        self._body = body
        given = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
        self._headers = given
        self._raw = [(name.encode(), value.encode()) for name, value in given.items()]
        self._metrics = Metrics(1, len(models))
        execution = Execution(arguments.model_threads, arguments.max_queue_size)
        self._admission = execution.admission
        for model in models:
            model.bind(execution)
        health = Health(models)
        health.listening = True
        self._application = Application(Setup(models, arguments, socket.socket(), self._metrics), execution, health)
        self._connection = Connection(Terms(self._application, arguments, Open()))
        self._connection.transport = self._transport = Transport()
        # What the server makes anew for each request belongs to its count.
        TIMINGS.set(Timings())

    def named(self, name: str) -> Callable[[], Awaitable[None]]:
        """Return the stage of that name."""
        if name not in STAGES:
            raise ValueError(f"there is no stage {name!r}; there are {', '.join(STAGES)}")
        stage: Callable[[], Awaitable[None]] = getattr(self, name)
        return stage

    async def prove(self) -> None:
        """Raise RuntimeError where the whole way ends in a refusal: that would be cheap."""
        await self.whole()
        if not self._transport.written.startswith(_OK):
            raise RuntimeError(f"it did not answer: {self._transport.written.decode()}")

    async def none(self) -> None:
        """Do what calling a stage takes."""

    async def read(self) -> None:
        """Body to tensors, held against what the model declares."""
        self._read()

    async def infer(self) -> None:
        """And the model's answer."""
        await self._model.infer(self._read())

    async def write(self) -> None:
        """And the answer's body and headers."""
        request = self._read()
        self._written(await self._model.infer(request), request)

    async def count(self) -> None:
        """And the request counted, let in and out, as `Inference.answer` does around it."""
        tally = self._metrics.request("v2")
        tally.of(self._model.name)
        self._admission.check()
        TIMINGS.set(tally)
        entered = tally.entered = self._admission.enter()
        request = self._read()
        self._written(await self._model.infer(request), request)
        tally.settle(self._admission.leave(entered))
        tally.end(200)

    async def wire(self) -> None:
        """A request that has arrived, and the way out of an answer with no headers but JSON's; nothing in between."""
        self._arrived().answer(200, [JSON], self._body, close=False)

    async def whole(self) -> None:
        """And all that the server does in between."""
        await self._application(self._arrived())

    def _read(self) -> InferenceRequest:
        request = v2.decode(self._body, self._headers)
        request.model_name = "model"
        declared.check(request, self._model.metadata())
        return request

    def _written(self, response: InferenceResponse, request: InferenceRequest) -> None:
        _, extra = v2.encode(response, request)
        if response.headers:
            to_bytes(response.headers)
        to_bytes(extra)

    def _arrived(self) -> Request:
        request = Request(self._connection, "POST", (_PATH, b""), "1.1", self._raw, stays=True)
        request.take(self._body)
        request.close_half()
        return request
