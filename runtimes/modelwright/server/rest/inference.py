"""A request's way through: body, codec, model, codec."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from modelwright.codecs import generate, v1, v2
from modelwright.errors import ModelNotReady
from modelwright.model import HttpAnswer, Model, OpenAIOperation, Repository, V1Answer
from modelwright.server import declared
from modelwright.server.arguments import Arguments
from modelwright.server.caller import Caller
from modelwright.server.execution import Execution
from modelwright.server.limits import deadline, in_time, moment
from modelwright.server.log import latency
from modelwright.server.metrics.counts import Metrics, Tally
from modelwright.server.rest import bodies, generation
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.replies import Body, to_bytes
from modelwright.server.rest.routes import Action, Route
from modelwright.server.rest.wire.heads import joined
from modelwright.server.rest.wire.request import Request
from modelwright.server.streams import PLAIN, Stream
from modelwright.server.versions import of_version
from modelwright.timings import TIMINGS

Answer = tuple[int, Headers, Body]


class Inference:
    """Answers every POST that runs a model."""

    def __init__(self, repository: Repository, arguments: Arguments, execution: Execution, metrics: Metrics) -> None:
        self._repository = repository
        self._metrics = metrics
        self._admission = execution.admission
        self._limit = arguments.max_body_bytes
        self._latencies = arguments.enable_latency_logging

    async def answer(self, route: Route, asked: Request, caller: Caller) -> Answer:
        """Answer one request.

        Raises:
            InferenceError: what the caller is told.
            ClientLeft: there is nobody to answer.
            Exception: whatever the author's code raised.

        """
        tally = caller.tally = self._metrics.request(route.protocol)
        # OpenAI's requests name their model in the body.
        operation = route.operation
        model = None if operation is not None else self._model(route.model, route.version, tally)
        # Before the body, so that a full server takes no more of them in; `enter` below counts.
        self._admission.check()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in caller.headers}
        body = await bodies.read(asked, headers, self._limit)
        TIMINGS.set(tally)
        entered = tally.entered = self._admission.enter()
        try:
            if operation is not None:
                answer = await self._openai(operation, body, headers, caller, tally)
            elif model is not None:
                answer = await self._run(route, model, body, headers, caller)
        except BaseException:
            self._end(entered, tally, caller, answered=False)
            raise
        # Told at once for what nearly all answers are; asking the abstract type takes longer.
        if type(answer[2]) is not bytes and isinstance(stream := answer[2], Stream):
            stream.on_end = partial(self._end, entered, tally, caller)
        else:
            self._end(entered, tally, caller)
        return answer

    def _model(self, name: str, version: str | None, tally: Tally) -> Model:
        model = self._repository.get(name)
        tally.of(model.name)
        if version is not None:
            of_version(model, version)
        if not model.ready:
            raise ModelNotReady(f"model {name!r} is not ready")
        return model

    async def _openai(
        self, operation: OpenAIOperation, body: bytes, headers: dict[str, str], caller: Caller, tally: Tally
    ) -> Answer:
        # Whoever serves no such model does not pay for the import.
        from modelwright.server.rest import openai  # noqa: PLC0415

        payload = openai.read(body, operation)
        model = self._model(payload["model"], None, tally)
        return await openai.answer(operation, model, payload, headers, caller)

    def _end(self, entered: float, tally: Tally, caller: Caller, *, answered: bool = True) -> None:
        took = self._admission.leave(entered)
        if answered:
            tally.settle(took)
        if self._latencies:
            latency(caller.request_id, tally)

    async def _run(self, route: Route, model: Model, body: bytes, headers: dict[str, str], caller: Caller) -> Answer:
        if route.action is not Action.INFER:
            if route.own is not None:
                return await _own(route.own, body, headers, caller)
            if route.action not in generation.ACTIONS:
                return await self._v1(route.action, model, body, headers, caller)
            if route.action is not Action.GENERATE or generate.is_flat(body, headers):
                return await generation.answer(route, model, body, headers, caller)
        seconds = deadline(headers)
        request = v2.decode(body, headers)
        request.model_name = route.model
        request.headers = headers
        declared.check(request, model.metadata())
        answered = model.infer(request)
        # Without a coroutine of its own where the caller would wait for ever, as nearly all do.
        response = await answered if seconds is None else await in_time(answered, seconds)
        encoded, extra = v2.encode(response, request)
        added = to_bytes(extra)
        return 200, joined(to_bytes(response.headers), added) if response.headers else added, encoded

    async def _v1(self, action: Action, model: Model, body: bytes, headers: dict[str, str], caller: Caller) -> Answer:
        seconds = deadline(headers)
        until = moment(seconds)
        payload, event = v1.read(body, headers)
        method = model.explain_v1 if action is Action.EXPLAIN else model.predict_v1
        answer = await in_time(method(payload, headers), seconds)
        if isinstance(answer.result, AsyncIterator):
            return await _v1_stream(answer, caller, until)
        # A model's own header wins: it knows what the bytes that it answers are.
        encoded, extra = v1.write(answer.result, event, model.name)
        return 200, to_bytes({**extra, **{name.lower(): value for name, value in answer.headers.items()}}), encoded


async def _own(
    answers: Callable[[dict[str, str], bytes], Awaitable[HttpAnswer]],
    body: bytes,
    headers: dict[str, str],
    caller: Caller,
) -> Answer:
    seconds = deadline(headers)
    until = moment(seconds)
    answer = await in_time(answers(headers, body), seconds)
    if not isinstance(answer.body, AsyncIterator):
        return answer.status, to_bytes(answer.headers), answer.body
    stream = Stream(answer.body, bytes, caller, until, PLAIN)
    await stream.begin()
    return answer.status, to_bytes(answer.headers), stream


async def _v1_stream(answer: V1Answer, caller: Caller, until: float | None) -> Answer:
    """Send what the author yields, as it is: it is text or bytes of a form that only the author knows."""
    headers = to_bytes(answer.headers)
    stream = Stream(answer.result, v1.encode, caller, until, PLAIN)
    await stream.begin()
    return 200, headers, stream
