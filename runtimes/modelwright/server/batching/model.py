"""A model whose concurrent requests share calls of the author's model, which sees one larger request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from modelwright.model import Execution, Model, Payload, V1Answer
from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.batching import batches, instances
from modelwright.server.batching.batcher import Batcher
from modelwright.server.batching.form import Form
from modelwright.server.wrapped import WrappedModel
from modelwright.tensors import InferenceRequest, InferenceResponse

Answer = TypeVar("Answer")
Observe = Callable[[int], None]


def batched(models: Iterable[Model], arguments: Arguments, sizes: Callable[[str], Observe]) -> list[Model]:
    """Return the models with their requests batched as `arguments` say.

    `sizes` gives, for a model's name, what is told how many requests each of its calls answers.
    """
    return [BatchedModel(model, arguments, sizes(model.name)) for model in models]


class BatchedModel(WrappedModel):
    """`infer` and `predict_v1` go through a Batcher; all else is the model's own."""

    def __init__(self, model: Model, arguments: Arguments, observe: Observe) -> None:
        super().__init__(model)
        self._threads = arguments.model_threads
        self._place: _Place | None = None
        self._batcher = Batcher(
            arguments.max_batch_size,
            arguments.max_batch_latency_ms / 1000,
            arguments.batch_timeout,
            self._free,
            observe,
        )
        self._v2 = Form(
            f"V2 requests to model {self.name!r}",
            model.infer,
            batches.count,
            batches.kind,
            batches.merge,
            batches.split,
        )
        self._v1 = Form(
            f"V1 requests to model {self.name!r}",
            self._predict,
            instances.count,
            instances.kind,
            instances.merge,
            instances.split,
        )

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request, together with others where that can be."""
        return await self._batcher.answer(self._v2, request)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request, together with others where that can be."""
        return await self._batcher.answer(self._v1, (payload, headers))

    async def _predict(self, asked: instances.Asked) -> V1Answer:
        return await self._model.predict_v1(*asked)

    def bind(self, execution: Execution) -> None:
        """Let the model run its synchronous code there, and count what it has there."""
        self._place = _Place(execution, self._batcher.look_again)
        self._model.bind(self._place)
        # Each time that the model has been loaded; it may have become another.
        described = self._model.metadata()
        fixed = [each for each in described.inputs if described.binding and each.shape and each.shape[0] != -1]
        self._v1.off, self._v2.off = False, bool(fixed)
        for each in fixed[:1]:
            log.LOGGER.warning(
                "%s are not batched: its input %r is declared with %d rows; declare -1 for any number",
                self._v2.name, each.name, each.shape[0],
            )  # fmt: skip

    def _free(self) -> bool:
        """Say whether another call would be begun at once: asynchronous code always can, a busy thread cannot."""
        return self._place is None or self._place.in_work < self._threads


class _Place:
    """Where the model's synchronous code runs, with a count of what it has there."""

    def __init__(self, execution: Execution, freed: Callable[[], None]) -> None:
        self._execution = execution
        self._freed = freed
        self.threads = getattr(execution, "threads", 1)
        self.in_work = 0

    async def call(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        self.in_work += 1
        try:
            return await self._execution.call(function, *arguments)
        finally:
            self.in_work -= 1
            self._freed()
