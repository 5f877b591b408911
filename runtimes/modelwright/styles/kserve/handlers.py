"""The order in which a kserve model's handlers run, and how each of them wants to be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

from modelwright.server.execution import Execution, inline
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.inline import Call
from modelwright.styles.kserve.twins.model import InferenceVerb, Model
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.timings import TIMINGS, Timings

_PLAIN: Final = (InferResponse, InferRequest, dict)
_inline: Final = inline
_now: Final = perf_counter
_current: Final = TIMINGS.get


class Handler:
    """One of the author's methods: coroutine function or not, with or without headers and response headers."""

    def __init__(self, function: Callable[..., Any], wanted: int) -> None:
        self.function = function
        self.waits = inspect.iscoroutinefunction(function)
        self.places = min(wanted, _places(function))

    def run(self, call: Call, execution: Execution | None, given: tuple[Any, ...]) -> Foreign:
        """Call the method with as many of the arguments as it takes; give its result, or an awaitable of that.

        `execution` is what `call` belongs to, where that is known: what it would run at once needs no coroutine.
        """
        function, arguments = self.function, given[: self.places]
        if self.waits:
            return function(*arguments)
        if execution is not None and execution.at_once(pace := execution.pace(function)):
            return _inline(pace, function, arguments)
        return _elsewhere(call, function, arguments)


async def _elsewhere(call: Call, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Foreign:
    result = await call(function, *arguments)
    return await result if _pending(result) else result


def _pending(result: Foreign) -> bool:
    # What nearly every author returns is told at once; asking the abstract type takes longer.
    return not isinstance(result, _PLAIN) and inspect.isawaitable(result)


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

    def __init__(self, model: Foreign, execution: Foreign = None) -> None:
        self._model = model
        # Other places for synchronous code, such as a batch's, know `call` only.
        self._execution = execution if isinstance(execution, Execution) else None
        wanted = 3 if getattr(model, "required_response_headers", False) else 2
        self._preprocess = _overridden(model, "preprocess", 2)
        self._predict = Handler(model.predict, wanted)
        self._explain = Handler(model.explain, 2)
        self._postprocess = _overridden(model, "postprocess", wanted)
        self._validates = getattr(model.validate, "__func__", None) is not Model.validate
        # The author's own __call__ takes the place of all of this, as it does with kserve.
        self._whole = type(model).__call__ is not Model.__call__

    async def run(
        self, call: Call, payload: Foreign, headers: dict[str, str] | None, *, explain: bool = False
    ) -> tuple[Any, dict[str, str]]:
        """Answer one request: the result and the headers that the handlers set."""
        if self._whole:
            return await self._call_whole(payload, headers, explain)
        sent: dict[str, str] = {}
        timings = _current() or Timings()
        timings.phase = "preprocess"
        begun = timings.entered = _now()
        if self._preprocess is not None:
            payload = self._preprocess.run(call, self._execution, (payload, headers))
            if _pending(payload):
                payload = await payload
        # kserve's own looks at dicts only.
        if self._validates or isinstance(payload, dict):
            payload = self._model.validate(payload)
        prepared, waited = _now(), timings.queue
        timings.preprocess = prepared - begun
        timings.phase = "explain" if explain else "predict"
        handler = self._explain if explain else self._predict
        result = handler.run(call, self._execution, (payload, headers, sent))
        if _pending(result):
            result = await result
        predicted, waited = _now(), timings.queue - waited
        if explain:
            timings.explain = predicted - prepared - waited
        else:
            timings.predict = predicted - prepared - waited
        timings.waited, timings.phase = waited, "postprocess"
        if self._postprocess is not None:
            result = self._postprocess.run(call, self._execution, (result, headers, sent))
            if _pending(result):
                result = await result
        timings.postprocess = _now() - predicted
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
