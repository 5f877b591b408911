"""A model with a count of the requests that are in it, so that it can be unloaded when there are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from modelwright.model import Model, OpenAIOperation, Payload, V1Answer
from modelwright.server.wrapped import WrappedModel
from modelwright.tensors import InferenceRequest, InferenceResponse


class Counted(WrappedModel):
    """The model itself in all else, its own routes too; only servers with an admin port wrap their models so."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._in_work = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._in_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_work -= 1
            if not self._in_work:
                self._idle.set()

    async def idle(self, seconds: float) -> bool:
        """Wait for the requests in work; give whether they ended within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                # Again, because another may have begun before this had its turn.
                while self._in_work:
                    await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request."""
        with self._counted():
            return await self._model.infer(request)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request."""
        with self._counted():
            return self._until_its_end(await self._model.predict_v1(payload, headers))

    async def explain_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Explain."""
        with self._counted():
            return self._until_its_end(await self._model.explain_v1(payload, headers))

    def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request in pieces."""
        return self._closable(self._model.stream(request))

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Answer an OpenAI request."""
        with self._counted():
            answer = await self._model.openai(operation, payload, headers)
            return self._closable(answer) if isinstance(answer, AsyncIterator) else answer

    def _until_its_end(self, answer: V1Answer) -> V1Answer:
        if isinstance(answer.result, AsyncIterator):
            answer.result = self._closable(answer.result)
        return answer

    async def _closable(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Pass pieces on, counted until the last, and end their source when this is closed."""
        with self._counted():
            try:
                async for piece in pieces:
                    yield piece
            finally:
                aclose = getattr(pieces, "aclose", None)
                if aclose is not None:
                    await aclose()
