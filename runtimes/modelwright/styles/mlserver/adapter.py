"""An MLServer model as the server sees models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from modelwright.identities import random_uuid
from modelwright.model import Execution, Model, ModelMetadata, OwnRoute, Payload, TensorMetadata, V1Answer
from modelwright.server import log
from modelwright.styles.mlserver import v1
from modelwright.styles.mlserver.answers import inference_response
from modelwright.styles.mlserver.calls import Call
from modelwright.styles.mlserver.cloudevents import CloudEvents, namespace
from modelwright.styles.mlserver.computed import Waited
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.predicted import Predicted
from modelwright.styles.mlserver.refusals import raise_for_the_caller
from modelwright.styles.mlserver.requests import inference_request
from modelwright.styles.mlserver.routes import own_routes
from modelwright.tensors import InferenceRequest, InferenceResponse


class MLServerModel(Model):
    """`modelwright.model.Model` over an author's `MLModel`, of the genuine library or of ours.

    Each `load` makes an object of the author's anew, as MLServer does.
    """

    def __init__(self, kind: Foreign, settings: Foreign, library: Foreign, server: str = "mlserver") -> None:
        """Take the author's class and its settings; `library` has the modules `types` and `context` of `mlserver`.

        `server` is the server's name in MLServer's settings.
        """
        self.name: str = settings.name
        self._events = CloudEvents(self.name, server, namespace())
        self._kind = kind
        self._settings = settings
        self._library = library
        self._user: Foreign = None
        self._predict: Call | None = None
        self._predicted: Predicted | None = None
        self._execution: Execution | None = None
        self._routes: tuple[OwnRoute, ...] = ()
        context = library.context
        self._context = ((context.model_name_var, self.name), (context.model_version_var, settings.version or ""))
        self._described: tuple[object, object, ModelMetadata] | None = None

    @property
    def ready(self) -> bool:
        """Whether the author's model says so; `load` sets it to what the author's returned."""
        return self._user is not None and bool(self._user.ready)

    @ready.setter
    def ready(self, value: bool) -> None:
        if self._user is not None:
            self._user.ready = value

    def metadata(self) -> ModelMetadata:
        """Return what the settings declare, or what the author's `load` has set. MLServer holds no request to it."""
        inputs, outputs = self._settings.inputs, self._settings.outputs
        known = self._described
        if known is None or known[0] is not inputs or known[1] is not outputs:
            known = self._described = (inputs, outputs, self._describe(inputs, outputs))
        return known[2]

    def _describe(self, inputs: Foreign, outputs: Foreign) -> ModelMetadata:
        version = self._settings.version
        others = [each for each in self._settings.versions or () if each != version]
        return ModelMetadata(
            self.name,
            self._settings.platform or "",
            tuple([version, *others] if version else others),
            _declared(inputs),
            _declared(outputs),
            binding=False,
        )

    def bind(self, execution: Execution) -> None:
        """Run what computes through `execution` from now on."""
        self._execution = execution

    async def load(self) -> None:
        """Make the author's object and call its `load`, whose result says whether it is ready.

        Raises whatever the author's code raises.
        """
        self._enter()
        user = self._kind(self._settings)
        call = Call(f"load() of {self.name}", user.load)
        if self._execution is not None and call.computed is not None:
            loaded = await asyncio.to_thread(call.computed)
        else:
            loaded = await call(None)
        user.ready = bool(loaded)
        if not user.ready:
            log.LOGGER.warning("model %r is not ready: its load() returned %r; it must return True", self.name, loaded)
        self._look_at(user)
        self._user = user

    def _look_at(self, user: Foreign) -> None:
        self._predict = call = Call(f"predict() of {self.name}", user.predict)
        whole = call.coroutine
        types = self._library.types
        self._predicted = Predicted(whole, self.name, types, self._events, self._context) if whole else None
        self._routes = own_routes(user, self._library, self._run)

    @property
    def renews(self) -> bool:
        """Always: what is loaded is the author's object's."""
        return True

    def renew(self) -> None:
        """Look anew at `predict` and at the methods under `custom_handler`."""
        if self._user is not None:
            self._look_at(self._user)

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request with what `predict` returns."""
        assert self._predict is not None, "load() comes before the first request"  # noqa: S101
        place = self._execution
        if self._predicted is not None and place is not None:
            try:
                return await place.call(self._predicted, request)
            except Waited:
                self._predicted = None
                self._predict.waits()
        payload = self._payload(request)
        self._enter()
        try:
            answer = await self._predict(place, payload)
        except Exception as raised:
            raise_for_the_caller(raised)
        return inference_response(answer, self.name, payload.id, self._events.of_response(payload.id))

    @property
    def streams(self) -> bool:
        """Always: `predict_stream` gives one piece, of `predict`, where an author has not written another."""
        return True

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request with what `predict_stream` yields."""
        payload = self._payload(request)
        self._enter()
        try:
            async with aclosing(self._user.predict_stream(_only(payload))) as pieces:
                async for piece in pieces:
                    yield inference_response(piece, self.name, payload.id)
        except Exception as raised:
            raise_for_the_caller(raised)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request, its instances as the one input or as an input for each of their keys."""
        request = v1.request(payload, headers, self.name, v1.input_name(self._settings.inputs, self._kind.predict))
        response = await self.infer(request)
        return V1Answer({"predictions": v1.predictions(response)}, response.headers)

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """The methods under `custom_handler`."""
        return self._routes

    async def _run(self, call: Call, *arguments: Foreign) -> Foreign:
        self._enter()
        try:
            return await call(self._execution, *arguments)
        except Exception as raised:
            raise_for_the_caller(raised)

    def unload(self) -> None:
        """Call the author's `unload` and let go of its object."""
        user, self._user, self._predict, self._predicted = self._user, None, None, None
        if user is None:
            return
        self._enter()
        call = Call(f"unload() of {self.name}", user.unload)
        if call.computed is not None:
            call.computed()
        else:
            _to_its_end(call)

    def _payload(self, request: InferenceRequest) -> Foreign:
        return inference_request(self._library.types, request, self._events, request.id or random_uuid())

    def _enter(self) -> None:
        """Say whose code runs, for `mlserver.log` and log lines."""
        for variable, value in self._context:
            variable.set(value)


def _declared(tensors: Foreign) -> tuple[TensorMetadata, ...]:
    return tuple(
        TensorMetadata(each.name, str(getattr(each.datatype, "value", each.datatype)), tuple(each.shape))
        for each in tensors or ()
    )


async def _only(payload: Foreign) -> AsyncIterator[Foreign]:
    yield payload


def _to_its_end(call: Call) -> None:
    """Run what waits in a loop of its own, since the server's is the one that waits for this."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            asyncio.run(_awaited(call))
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="unload")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


async def _awaited(call: Call) -> Any:  # noqa: ANN401 - whatever the author returns
    return await call(None)
