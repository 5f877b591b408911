"""A Ray Serve deployment of a kserve model as the server sees models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from ray import serve
from ray.exceptions import RayTaskError

from modelwright.model import Execution, Model, ModelMetadata, OpenAIOperation, V1Answer
from modelwright.server import log
from modelwright.styles.kserve import ray_calls
from modelwright.styles.kserve.adapter import declared
from modelwright.styles.kserve.answers import infer_response, piece_response
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.inline import inline
from modelwright.styles.kserve.pieces import only
from modelwright.styles.kserve.replica import CHUNK, WHOLE
from modelwright.styles.kserve.requests import infer_request
from modelwright.styles.kserve.twins.model import InferenceVerb
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.styles.kserve.twins.ray import RayModel
from modelwright.tensors import InferenceRequest, InferenceResponse

# Seconds between two looks at the deployment's replicas.
_LOOK_EVERY: Final = 1.0


class RayServeModel(Model):
    """`modelwright.model.Model` over a RayModel; it is ready while the deployment has a running replica."""

    def __init__(self, user: RayModel, name: str | None = None) -> None:
        self.user = user
        self.name: str = name or user.name
        self._metadata = ModelMetadata(self.name)
        self._running = True
        self._yields = False
        self._operations: frozenset[OpenAIOperation] = frozenset()
        self._looking: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the model has been loaded and a replica runs."""
        return bool(self.user.ready) and self._running

    @ready.setter
    def ready(self, value: bool) -> None:
        self.user.ready = value

    def metadata(self) -> ModelMetadata:
        """Return what a replica declared when the model was loaded."""
        return self._metadata

    async def load(self) -> None:
        """Ask a replica for the model's inputs and outputs, after its `load` unless the model is ready."""
        if not self.user.ready:
            self.user.load()
        offered = await self._offered()
        self._yields = offered["yields"]
        self._operations = frozenset(map(OpenAIOperation, offered["openai"]))
        inputs = await self._declared(self.user.get_input_types)
        self._metadata = ModelMetadata(
            self.name, inputs=inputs, outputs=await self._declared(self.user.get_output_types)
        )

    def bind(self, execution: Execution) -> None:
        """Look at the replicas from now on; their code runs in them."""
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request with what a replica's handlers make of an InferRequest."""
        if self._yields:
            piece, headers = await only(inline, self._pieces("answer", infer_request(request), dict(request.headers)))
            return piece_response(piece, request, headers)
        result, headers = await self._answer(infer_request(request), request.headers)
        return infer_response(result, request, headers)

    @property
    def streams(self) -> bool:
        """Whether a replica's last handler yields."""
        return self._yields

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request with what a replica's handlers yield."""
        async with aclosing(self._pieces("answer", infer_request(request), dict(request.headers))) as source:
            async for piece, headers in source:
                yield piece_response(piece, request, headers)

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """Those that the deployed class has kserve's methods for."""
        return self._operations

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Answer an OpenAI request with what a replica's method makes of it."""
        source = self._pieces("ask", operation.value, payload, dict(headers))
        kind, first = await anext(source, (CHUNK, None))
        if kind != WHOLE or first is None:
            return _chunks(first, source)
        await source.aclose()
        return dict(first)

    async def predict_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with what a replica's handlers make of its dict."""
        if self._yields:
            return V1Answer(_values(self._pieces("answer", payload, dict(headers))), {})
        return _v1(*await self._answer(payload, headers))

    async def explain_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with `explain` in the place of `predict`."""
        return _v1(*await self._answer(payload, headers, InferenceVerb.EXPLAIN))

    def unload(self) -> None:
        """Look at the replicas no longer; Ray Serve keeps them, or they end with the Ray that this server started."""
        if self._looking is not None:
            self._looking.cancel()
        self.user.ready = False

    async def _answer(
        self, payload: Foreign, headers: Mapping[str, str], verb: InferenceVerb = InferenceVerb.PREDICT
    ) -> tuple[Any, dict[str, str]]:
        """Call a replica; see `ray_calls.whole` for what is raised."""
        answer = await ray_calls.whole(self.name, lambda: self.user(payload, dict(headers), verb))
        # Before 0.14 the answer came without headers.
        return answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, {})

    def _pieces(self, method: str, *arguments: Foreign) -> AsyncGenerator[Any, None]:
        """Call a generator of `styles.kserve.replica` in a replica."""
        handle = self.user._handle.options(method_name=f"_modelwright_{method}", stream=True)
        return ray_calls.pieces(self.name, lambda: handle.remote(*arguments))

    async def _offered(self) -> Mapping[str, Any]:
        try:
            offers: Mapping[str, Any] = await self.user._handle._modelwright_offers.remote()
        except RayTaskError as error:
            # A class that is no kserve.Model, and one on a Ray whose processes have the genuine kserve.
            log.LOGGER.info("model %r offers predictions only: %s", self.name, ray_calls.first_line(error))
            return {"yields": False, "openai": []}
        return offers

    async def _declared(self, ask: Foreign) -> Foreign:
        try:
            return declared(await ask())
        except RayTaskError as error:
            # A class that is no kserve.Model may be deployed too, and declares nothing.
            log.LOGGER.info("model %r declares no tensors: %s", self.name, ray_calls.first_line(error))
            return ()

    async def _look(self) -> None:
        application, deployment = self.user._handle.app_name, self.user._handle.deployment_name
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            running = await asyncio.to_thread(_runs, application, deployment)
            if running != self._running:
                log.LOGGER.warning("model %r %s on Ray", self.name, "runs" if running else "has no running replica")
            self._running = running


async def _values(source: AsyncGenerator[Any, None]) -> AsyncIterator[Any]:
    async with aclosing(source):
        async for piece, _ in source:
            yield piece


async def _chunks(first: dict[str, Any] | None, source: AsyncGenerator[Any, None]) -> AsyncIterator[dict[str, Any]]:
    async with aclosing(source):
        if first is not None:
            yield first
        async for _, chunk in source:
            yield chunk


def _runs(application: str, deployment: str) -> bool:
    try:
        status = serve.status().applications[application].deployments[deployment]
    except Exception as error:
        # Ray's ways to say that nobody answers have no class in common.
        log.LOGGER.warning(
            "Ray Serve does not tell its status: %s: %s", type(error).__name__, ray_calls.first_line(error)
        )
        return False
    return any(state == "RUNNING" and count > 0 for state, count in status.replica_states.items())


def _v1(result: Foreign, headers: dict[str, str]) -> V1Answer:
    return V1Answer(result.to_rest()[0] if isinstance(result, InferResponse) else result, headers)
