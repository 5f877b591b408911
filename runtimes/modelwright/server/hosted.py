"""A model inside a replica's process: its methods as calls with arguments and answers that can be pickled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelwright.model import HttpAnswer, HttpRequest, Model, ModelMetadata, OpenAIOperation, Payload, V1Answer
from modelwright.server.arguments import Arguments
from modelwright.server.execution import Execution
from modelwright.tensors import InferenceRequest, InferenceResponse


@dataclass(frozen=True, slots=True)
class Description:
    """What a loaded model says of itself; `own_routes` are methods and paths."""

    ready: bool
    metadata: ModelMetadata
    streams: bool
    openai_operations: frozenset[OpenAIOperation]
    own_routes: tuple[tuple[str, str], ...]


async def host(model: Model, arguments: Arguments) -> Hosted:
    """Load a model in this process, with its own threads and batches as the server's would be."""
    if arguments.max_batch_size > 1:
        from modelwright.server.batching.model import batched  # noqa: PLC0415 - only who batches pays for it

        (model,) = batched([model], arguments, lambda _: _uncounted)
    await model.load()
    model.bind(Execution(arguments.model_threads, arguments.max_queue_size))
    return Hosted(model)


def _uncounted(_: int) -> None:
    """Leave a batch's size untold: the server's metrics are in another process."""


class Hosted:
    """The object that replicas are copies of."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def describe(self) -> Description:
        """Say what the model offers."""
        model = self._model
        routes = tuple((route.method, route.path) for route in model.own_routes)
        return Description(model.ready, model.metadata(), model.streams, model.openai_operations, routes)

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request."""
        return await self._model.infer(request)

    def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request in pieces."""
        return self._model.stream(request)

    async def v1(
        self, payload: Payload, headers: Mapping[str, str], *, explain: bool
    ) -> V1Answer | AsyncIterator[object]:
        """Answer a V1 request; an answer in pieces is an iterator, whose first element is the headers."""
        answer = await (self._model.explain_v1 if explain else self._model.predict_v1)(payload, headers)
        return _led_by(dict(answer.headers), answer.result) if isinstance(answer.result, AsyncIterator) else answer

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Answer an OpenAI request."""
        return await self._model.openai(operation, payload, headers)

    async def own(self, place: int, request: HttpRequest) -> HttpAnswer | AsyncIterator[object]:
        """Answer a request to the model's own route of that place in its description.

        An answer in pieces is an iterator, whose first element is the answer without its body.
        """
        answer = await self._model.own_routes[place].answer(request)
        if isinstance(answer.body, AsyncIterator):
            return _led_by(HttpAnswer(answer.status, b"", dict(answer.headers)), answer.body)
        return answer


async def _led_by(first: object, pieces: AsyncIterator[object]) -> AsyncIterator[object]:
    try:
        yield first
        async for piece in pieces:
            yield piece
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()
