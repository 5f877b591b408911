"""A kserve model as the server sees models."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

from modelwright.model import Execution, Model, ModelMetadata, TensorMetadata, V1Answer
from modelwright.styles.kserve.answers import infer_response
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.handlers import Call, Chain, inline
from modelwright.styles.kserve.refusals import refusal
from modelwright.styles.kserve.requests import infer_request
from modelwright.styles.kserve.twins.errors import NoModelReady
from modelwright.styles.kserve.twins.model import BaseKServeModel
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.tensors import InferenceRequest, InferenceResponse


class KServeModel(Model):
    """`modelwright.model.Model` over an instance of the author's class."""

    def __init__(self, user: Foreign, name: str | None = None) -> None:
        self.user = user
        self.name: str = name or user.name
        self._call: Call = inline
        self._chain: Chain | None = None

    @property
    def ready(self) -> bool:
        """Whether the author's model says that it is healthy."""
        if type(self.user).healthy is BaseKServeModel.healthy:
            return bool(self.user.ready)
        return bool(_at_once(self.user.healthy(), self.user.ready))

    @ready.setter
    def ready(self, value: bool) -> None:
        self.user.ready = value

    def metadata(self) -> ModelMetadata:
        """Return what `get_input_types` and `get_output_types` declare."""
        return ModelMetadata(
            name=self.name,
            inputs=_declared(self.user.get_input_types()),
            outputs=_declared(self.user.get_output_types()),
        )

    def bind(self, execution: Execution) -> None:
        """Run synchronous handlers through `execution` from now on."""
        self._call = execution.call
        self._chain = Chain(self.user)

    async def load(self) -> None:
        """Call the author's `load` unless the model is ready, then `start` and, where there is one, its engine.

        Raises NoModelReady where `load` neither sets `ready` nor returns True, and whatever the author's code raises.
        """
        user = self.user
        if not user.ready:
            loaded = user.load()
            loaded = await loaded if inspect.isawaitable(loaded) else loaded
            user.ready = bool(user.ready or loaded)
        if not user.ready:
            raise NoModelReady([user], "Its load() neither set self.ready nor returned True.")
        user.start()
        if user.engine:
            await user.start_engine()

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request with what the handlers make of an InferRequest."""
        result, headers = await self._answer(infer_request(request), dict(request.headers))
        return infer_response(result, request, headers)

    async def predict_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with what the handlers make of its dict."""
        result, sent = await self._answer(payload, dict(headers))
        return V1Answer(await _plain(result), sent)

    async def explain_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with `explain` in the place of `predict`."""
        result, sent = await self._answer(payload, dict(headers), explain=True)
        return V1Answer(await _plain(result), sent)

    def unload(self) -> None:
        """Stop the author's model and its engine."""
        self.user.stop()
        if self.user.engine:
            self.user.stop_engine()

    async def _answer(self, payload: Foreign, headers: dict[str, str], *, explain: bool = False) -> Foreign:
        if self._chain is None:
            self._chain = Chain(self.user)
        try:
            return await self._chain(self._call, payload, headers, explain=explain)
        except Exception as raised:
            meant = refusal(raised)
            if meant is None or meant is raised:
                raise
            raise meant from raised


async def _plain(result: Foreign) -> Foreign:
    if isinstance(result, InferResponse):
        return result.to_rest()[0]
    if isinstance(result, AsyncIterator):
        parts = [part.encode() if isinstance(part, str) else part async for part in result]
        return b"".join(parts)
    return result


def _declared(types: Foreign) -> tuple[TensorMetadata, ...]:
    types = _at_once(types, []) if inspect.iscoroutine(types) else types
    return tuple(
        TensorMetadata(each.get("name", ""), each.get("datatype", ""), tuple(each.get("shape", ()))) for each in types
    )


def _at_once(coroutine: Coroutine[Any, Any, Any], otherwise: Foreign) -> Foreign:
    """Return what a coroutine returns without waiting for anything, `otherwise` where it would have to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    return otherwise
