"""A kserve model as the server sees models."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any

from modelwright.errors import NotImplementedByModel
from modelwright.model import Execution, Model, ModelMetadata, OpenAIOperation, TensorMetadata, V1Answer
from modelwright.styles.kserve import openai
from modelwright.styles.kserve.answering import answered
from modelwright.styles.kserve.answers import piece_response
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.handlers import Chain
from modelwright.styles.kserve.inline import Call, inline
from modelwright.styles.kserve.pieces import pieces, yields
from modelwright.styles.kserve.refusals import raise_for_the_caller
from modelwright.styles.kserve.requests import infer_request
from modelwright.styles.kserve.twins.errors import NoModelReady
from modelwright.styles.kserve.twins.model import BaseKServeModel, InferenceModel
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.tensors import InferenceRequest, InferenceResponse


class KServeModel(Model):
    """`modelwright.model.Model` over an instance of the author's class."""

    def __init__(self, user: Foreign, name: str | None = None) -> None:
        self.user = user
        self.name: str = name or user.name
        # Most models declare nothing; those that do are asked each time, since they may come to know more.
        self._undeclared = None if _declares(user) else ModelMetadata(self.name)
        self._execution: Execution | None = None
        self._call: Call = inline
        self._chain: Chain | None = None
        self._operations = openai.operations(user)
        self._before_load: dict[str, Any] | None = None

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
        if self._undeclared is not None:
            return self._undeclared
        return ModelMetadata(
            name=self.name,
            inputs=declared(self.user.get_input_types()) if self._infers else (),
            outputs=declared(self.user.get_output_types()) if self._infers else (),
        )

    def bind(self, execution: Execution) -> None:
        """Run synchronous handlers through `execution` from now on."""
        self._execution, self._call = execution, execution.call
        if self._infers:
            self._chain = Chain(self.user, execution)

    @property
    def _infers(self) -> bool:
        # kserve's OpenAI models have no predict, and so none of V1 and V2.
        return callable(getattr(self.user, "predict", None))

    async def load(self) -> None:
        """Call the author's `load` unless the model is ready, then `start` and, where there is one, its engine.

        In a server that answers requests already, a synchronous `load` runs beside its event loop.
        Raises NoModelReady where `load` neither sets `ready` nor returns True, and whatever the author's code raises.
        """
        user = self.user
        if not user.ready:
            self._before_load = dict(user.__dict__)
            apart = self._call is not inline and not inspect.iscoroutinefunction(user.load)
            loaded = await asyncio.to_thread(user.load) if apart else user.load()
            loaded = await loaded if inspect.isawaitable(loaded) else loaded
            user.ready = bool(user.ready or loaded)
        if not user.ready:
            raise NoModelReady([user], "Its load() neither set self.ready nor returned True.")
        user.start()
        if user.engine:
            await user.start_engine()

    def infer(self, request: InferenceRequest) -> Coroutine[Any, Any, InferenceResponse]:
        """Answer a V2 request with what the handlers make of an InferRequest."""
        return answered(self._chain or self._handlers(), self._call, request)

    @property
    def streams(self) -> bool:
        """Always: an author's `predict` says with each answer whether it comes in pieces."""
        return True

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request with what the handlers yield, or with the one answer that they return."""
        result, headers = await self._answer(infer_request(request), dict(request.headers))
        async with aclosing(pieces(self._call, result)) as source:
            async for piece in source:
                yield piece_response(piece, request, headers)

    async def predict_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with what the handlers make of its dict."""
        result, sent = await self._answer(payload, dict(headers))
        return V1Answer(self._plain(result), sent)

    async def explain_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with `explain` in the place of `predict`."""
        result, sent = await self._answer(payload, dict(headers), explain=True)
        return V1Answer(self._plain(result), sent)

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """Those that the author's class has kserve's methods for."""
        return self._operations

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Answer an OpenAI request with what the author's method makes of it."""
        return await openai.ask(self.user, self._call, operation, payload, headers)

    def unload(self) -> None:
        """Stop the author's model and its engine, and take from it what `load` had set.

        What a constructor loaded stays: a later `load` could not do without what else the constructor did.
        """
        user = self.user
        user.stop()
        if user.engine:
            user.stop_engine()
        if self._before_load is not None:
            user.__dict__.clear()
            user.__dict__.update(self._before_load)
        user.ready = False

    @property
    def renews(self) -> bool:
        """Always: what is loaded is the author's object's."""
        return True

    def renew(self) -> None:
        """Look anew for the handlers and the OpenAI methods."""
        self._undeclared = None if _declares(self.user) else ModelMetadata(self.name)
        self._operations = openai.operations(self.user)
        self._chain = Chain(self.user, self._execution) if self._infers else None

    def _plain(self, result: Foreign) -> Foreign:
        if isinstance(result, InferResponse):
            return result.to_rest()[0]
        return pieces(self._call, result) if yields(result) else result

    async def _answer(self, payload: Foreign, headers: dict[str, str], *, explain: bool = False) -> Foreign:
        chain = self._chain or self._handlers()
        try:
            return await chain.run(self._call, payload, headers, explain=explain)
        except Exception as raised:
            raise_for_the_caller(raised)

    def _handlers(self) -> Chain:
        if not self._infers:
            raise NotImplementedByModel(f"model {self.name!r} has no predict; ask for its OpenAI operations")
        self._chain = Chain(self.user, self._execution)
        return self._chain


def _declares(user: Foreign) -> bool:
    return not all(
        getattr(type(user), method, None) is getattr(InferenceModel, method) and method not in vars(user)
        for method in ("get_input_types", "get_output_types")
    )


def declared(types: Foreign) -> tuple[TensorMetadata, ...]:
    """Read what an author's `get_input_types` or `get_output_types` returned."""
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
