"""A model that runs as replicas on Ray, with this server in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from modelwright.errors import ModelNotReady
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
from modelwright.scale import cluster
from modelwright.scale.ray_replicas import RayReplicas
from modelwright.scale.replicas import ReplicaDied
from modelwright.server.arguments import Arguments
from modelwright.server.hosted import Description, host
from modelwright.tensors import InferenceRequest, InferenceResponse

# Calls that a replica has at one time, at least: asynchronous code overlaps them, and synchronous code need not wait
# for Ray between two of them.
_AT_ONCE: Final = 8


def replicated(models: Iterable[Model], arguments: Arguments) -> list[Model]:
    """Return the models, each as the number of replicas that `arguments` say."""
    return [ReplicatedModel(model, arguments) for model in models]


class ReplicatedModel(Model):
    """Sends every request to a replica, and is ready while one is. The model given is loaded in replicas only."""

    def __init__(self, model: Model, arguments: Arguments) -> None:
        self._model = model
        self._arguments = arguments
        self._replicas: RayReplicas | None = None
        self._described = Description(False, ModelMetadata(model.name), False, frozenset(), ())
        self.name = model.name

    @property
    def ready(self) -> bool:
        """Whether the model was ready when it was loaded, and a replica runs."""
        return self._described.ready and self._replicas is not None and self._replicas.running > 0

    @ready.setter
    def ready(self, value: bool) -> None:
        self._described = replace(self._described, ready=value)

    async def load(self) -> None:
        """Start the replicas, each of which loads the model.

        Raises:
            Unplaceable: there are not the resources for them.
            TypeError: the model cannot be pickled.
            Exception: what the model's load raised.

        """
        # In this thread, also where the server answers already: it takes long only the first time, before that.
        cluster.connect(self._arguments.ray_address, cpus=self._arguments.replicas)
        self._replicas = await asyncio.to_thread(self._started)
        self._described = await self._call("describe")

    def _started(self) -> RayReplicas:
        given = self._arguments
        factory = partial(host, self._model, given)
        at_once = max(_AT_ONCE, 2 * given.max_batch_size)
        options = {"scheduling_strategy": "SPREAD", "num_gpus": given.replica_gpus or None}
        return RayReplicas(factory, given.replicas, options=options, at_once=at_once)

    def bind(self, execution: Execution) -> None:
        """Do nothing: the model's code runs in its replicas."""

    def metadata(self) -> ModelMetadata:
        """Return what the model said when it was loaded."""
        return self._described.metadata

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Have a replica answer a V2 request."""
        answer: InferenceResponse = await self._call("infer", request=_plain(request))
        return answer

    @property
    def streams(self) -> bool:
        """As the model said when it was loaded."""
        return self._described.streams

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Have a replica answer a V2 request in pieces."""
        async for piece in _pieces(await self._call("stream", request=_plain(request))):
            yield piece

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have a replica answer a V1 request."""
        return await self._v1(payload, headers, explain=False)

    async def explain_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have a replica explain."""
        return await self._v1(payload, headers, explain=True)

    async def _v1(self, payload: Payload, headers: Mapping[str, str], *, explain: bool) -> V1Answer:
        answer = await self._call("v1", payload=payload, headers=dict(headers), explain=explain)
        if isinstance(answer, V1Answer):
            return answer
        pieces = _pieces(answer)
        return V1Answer(pieces, await anext(pieces))

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """As the model said when it was loaded."""
        return self._described.openai_operations

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Have a replica answer an OpenAI request."""
        answer = await self._call("openai", operation=operation, payload=payload, headers=dict(headers))
        return _pieces(answer) if isinstance(answer, AsyncIterator) else answer

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """As the model said when it was loaded; a replica answers them."""
        routes = enumerate(self._described.own_routes)
        return tuple(OwnRoute(method, path, partial(self._own, place)) for place, (method, path) in routes)

    async def _own(self, place: int, request: HttpRequest) -> HttpAnswer:
        plain = replace(request, path_parameters=dict(request.path_parameters), headers=dict(request.headers))
        answer = await self._call("own", place=place, request=plain)
        if isinstance(answer, HttpAnswer):
            return answer
        pieces = _pieces(answer)
        first: HttpAnswer = await anext(pieces)
        return replace(first, body=pieces)

    def unload(self) -> None:
        """End the replicas."""
        if self._replicas is not None:
            self._replicas.close()
            self._replicas = None

    async def _call(self, method: str, **arguments: object) -> Any:  # noqa: ANN401 - as the method says
        if self._replicas is None:
            raise ModelNotReady(f"model {self.name!r} is not loaded")
        try:
            return await asyncio.wrap_future(self._replicas.enqueue(method, arguments))
        except ReplicaDied as error:
            raise ModelNotReady(f"the replicas of model {self.name!r} died while they answered") from error


def _plain(request: InferenceRequest) -> InferenceRequest:
    # The server's headers may be of a kind that cannot be pickled.
    return replace(request, headers=dict(request.headers))


async def _pieces(source: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        async for piece in source:
            yield piece
    except ReplicaDied as error:
        raise ModelNotReady("a replica died while it answered in pieces") from error
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()
