"""The order in which a kserve model's handlers run, and how each of them wants to be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from time import perf_counter
from typing import Any

from modelwright.model import TIMINGS, Timings
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.inline import Call
from modelwright.styles.kserve.twins.model import InferenceVerb, Model
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse


class Handler:
    """One of the author's methods: coroutine function or not, with or without headers and response headers."""

    def __init__(self, function: Callable[..., Any], wanted: int) -> None:
        self.function = function
        self.waits = inspect.iscoroutinefunction(function)
        self.places = min(wanted, _places(function))

    async def __call__(self, call: Call, *arguments: Foreign) -> Foreign:
        """Call the method with as many of the arguments as it takes; a synchronous one through `call`."""
        arguments = arguments[: self.places]
        if self.waits:
            return await self.function(*arguments)
        result = await call(self.function, *arguments)
        # What nearly every author returns is told at once; asking the abstract type takes longer.
        if isinstance(result, (InferResponse, dict)):
            return result
        return await result if inspect.isawaitable(result) else result


def _places(function: Callable[..., Any]) -> int:
    """Count the positional arguments that a function takes, at most three of them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        # Compiled code does not always tell; it is called as kserve calls it.
        return 3
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 3
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return sum(parameter.kind in positional for parameter in parameters)


class Chain:
    """preprocess, validate, predict or explain, postprocess. What the author did not override is not called."""

    def __init__(self, model: Foreign) -> None:
        self._model = model
        wanted = 3 if getattr(model, "required_response_headers", False) else 2
        self._preprocess = _overridden(model, "preprocess", 2)
        self._predict = Handler(model.predict, wanted)
        self._explain = Handler(model.explain, 2)
        self._postprocess = _overridden(model, "postprocess", wanted)
        # The author's own __call__ takes the place of all of this, as it does with kserve.
        self._whole = type(model).__call__ is not Model.__call__

    async def __call__(
        self, call: Call, payload: Foreign, headers: dict[str, str] | None, *, explain: bool = False
    ) -> tuple[Any, dict[str, str]]:
        """Answer one request: the result and the headers that the handlers set."""
        if self._whole:
            return await self._call_whole(payload, headers, explain)
        sent: dict[str, str] = {}
        timings = TIMINGS.get() or Timings()
        timings.phase = "preprocess"
        begun = timings.entered = perf_counter()
        if self._preprocess is not None:
            payload = await self._preprocess(call, payload, headers)
        payload = self._model.validate(payload)
        prepared, waited = perf_counter(), timings.queue
        timings.preprocess = prepared - begun
        timings.phase = "explain" if explain else "predict"
        handler = self._explain if explain else self._predict
        if handler.waits:
            result = await handler(call, payload, headers, sent)
        else:
            # As the handler would, without a coroutine of its own: each layer is a percent of a small request.
            result = await call(handler.function, *(payload, headers, sent)[: handler.places])
            if not isinstance(result, (InferResponse, dict)) and inspect.isawaitable(result):
                result = await result
        predicted, waited = perf_counter(), timings.queue - waited
        if explain:
            timings.explain = predicted - prepared - waited
        else:
            timings.predict = predicted - prepared - waited
        timings.waited, timings.phase = waited, "postprocess"
        if self._postprocess is not None:
            result = await self._postprocess(call, result, headers, sent)
        timings.postprocess = perf_counter() - predicted
        return result, sent

    async def _call_whole(
        self, payload: Foreign, headers: dict[str, str] | None, explain: bool
    ) -> tuple[Any, dict[str, str]]:
        verb = {"verb": InferenceVerb.EXPLAIN} if explain else {}
        answer = self._model(payload, headers=headers, **verb)
        answer = await answer if inspect.isawaitable(answer) else answer
        # Before 0.14 the answer came without headers.
        return answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, {})


def _overridden(model: Foreign, name: str, wanted: int) -> Handler | None:
    method = getattr(model, name)
    return None if getattr(method, "__func__", None) is getattr(Model, name) else Handler(method, wanted)
