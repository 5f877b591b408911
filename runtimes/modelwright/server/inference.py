"""A request's way through: body, codec, model, codec."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from modelwright.codecs import v1, v2
from modelwright.errors import ModelNotReady
from modelwright.model import TIMINGS, Model, Repository, Timings
from modelwright.server import bodies, declared
from modelwright.server.arguments import Arguments
from modelwright.server.asgi import Headers, Receive
from modelwright.server.caller import Caller
from modelwright.server.describe import of_version
from modelwright.server.execution import Execution
from modelwright.server.limits import DeadlineExceeded, deadline
from modelwright.server.log import latency
from modelwright.server.replies import Body, to_bytes
from modelwright.server.routes import Action, Route

Result = TypeVar("Result")
Answer = tuple[int, Headers, Body]


class Inference:
    """Answers every POST that runs a model."""

    def __init__(self, repository: Repository, arguments: Arguments, execution: Execution) -> None:
        self._repository = repository
        self._admission = execution.admission
        self._limit = arguments.max_body_bytes
        self._latencies = arguments.enable_latency_logging

    async def answer(self, route: Route, receive: Receive, caller: Caller) -> Answer:
        """Answer one request.

        Raises:
            InferenceError: what the caller is told.
            ClientLeft: there is nobody to answer.
            Exception: whatever the author's code raised.

        """
        model = self._repository.get(route.model)
        if route.version is not None:
            of_version(model, route.version)
        if not model.ready:
            raise ModelNotReady(f"model {route.model!r} is not ready")
        # Before the body, so that a full server takes no more of them in; `enter` below counts.
        self._admission.check()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in caller.headers}
        body = await bodies.read(receive, headers, self._limit)
        timings = Timings() if self._latencies else None
        if timings is not None:
            TIMINGS.set(timings)
        entered = self._admission.enter()
        try:
            return await self._run(route, model, body, headers)
        finally:
            took = self._admission.leave(entered)
            if timings is not None:
                latency(caller.request_id, timings, took)

    async def _run(self, route: Route, model: Model, body: bytes, headers: dict[str, str]) -> Answer:
        if route.action is not Action.INFER:
            return await self._v1(route.action, model, body, headers)
        seconds = deadline(headers)
        request = v2.decode(body, headers)
        request.model_name = route.model
        request.headers = headers
        declared.check(request, model.metadata())
        response = await _in_time(model.infer(request), seconds)
        encoded, extra = v2.encode(response, request)
        return 200, to_bytes(response.headers) + to_bytes(extra) if response.headers else to_bytes(extra), encoded

    async def _v1(self, action: Action, model: Model, body: bytes, headers: dict[str, str]) -> Answer:
        seconds = deadline(headers)
        payload, event = v1.read(body, headers)
        method = model.explain_v1 if action is Action.EXPLAIN else model.predict_v1
        answer = await _in_time(method(payload, headers), seconds)
        # A model's own header wins: it knows what the bytes that it answers are.
        encoded, extra = v1.write(answer.result, event, model.name)
        return 200, to_bytes({**extra, **{name.lower(): value for name, value in answer.headers.items()}}), encoded


async def _in_time(work: Awaitable[Result], seconds: float | None) -> Result:
    if seconds is None:
        return await work
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise DeadlineExceeded(f"no answer within the {seconds:g} s that the caller allowed") from None
        raise
