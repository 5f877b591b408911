"""A model around another: itself in what a subclass says, the other in all else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from modelwright.model import Execution, Model, ModelMetadata, OpenAIOperation, OwnRoute, Payload, V1Answer
from modelwright.tensors import InferenceRequest, InferenceResponse


class WrappedModel(Model):
    """Every member of `Model` asks the model within."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.name = model.name

    @property
    def ready(self) -> bool:
        """As the model says."""
        return self._model.ready

    @ready.setter
    def ready(self, value: bool) -> None:
        self._model.ready = value

    def metadata(self) -> ModelMetadata:
        """As the model says."""
        return self._model.metadata()

    def bind(self, execution: Execution) -> None:
        """Bind the model."""
        self._model.bind(execution)

    async def load(self) -> None:
        """Load the model."""
        await self._model.load()

    def unload(self) -> None:
        """Unload the model."""
        self._model.unload()

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Have the model answer a V2 request."""
        return await self._model.infer(request)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have the model answer a V1 request."""
        return await self._model.predict_v1(payload, headers)

    async def explain_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Have the model explain."""
        return await self._model.explain_v1(payload, headers)

    @property
    def streams(self) -> bool:
        """As the model says."""
        return self._model.streams

    def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Have the model answer a V2 request in pieces."""
        return self._model.stream(request)

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """As the model says."""
        return self._model.openai_operations

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Have the model answer an OpenAI request."""
        return await self._model.openai(operation, payload, headers)

    @property
    def renews(self) -> bool:
        """As the model says."""
        return self._model.renews

    def renew(self) -> None:
        """Have the model look at its author's object."""
        self._model.renew()

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """As the model says."""
        return self._model.own_routes
