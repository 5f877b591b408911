"""An author's OpenAI methods as the server calls them: those of kserve's OpenAI models, or plain ones so called."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, Final

import orjson

from modelwright.errors import InferenceError, InvalidInput
from modelwright.model import OpenAIOperation
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.inline import Call
from modelwright.styles.kserve.pieces import pieces, yields
from modelwright.styles.kserve.refusals import raise_for_the_caller, with_status

_METHODS: Final = {
    OpenAIOperation.CHAT: "create_chat_completion",
    OpenAIOperation.COMPLETION: "create_completion",
    OpenAIOperation.EMBEDDING: "create_embedding",
}
# kserve's classes of requests, and the package whose subclasses expect them.
_TYPES: Final = {
    OpenAIOperation.CHAT: "ChatCompletionRequest",
    OpenAIOperation.COMPLETION: "CompletionRequest",
    OpenAIOperation.EMBEDDING: "EmbeddingRequest",
}
_KSERVES: Final = "kserve.protocol.rest.openai"


class OpenAIRequest(dict[str, Any]):
    """A request's JSON object whose fields are attributes too; an absent one is None, as OpenAI's optional ones are."""

    def __getattr__(self, name: str) -> Foreign:
        if name.startswith("__"):
            raise AttributeError(name)
        return _wrapped(self.get(name))


def _wrapped(value: Foreign) -> Foreign:
    if isinstance(value, dict):
        return OpenAIRequest(value)
    return [_wrapped(each) for each in value] if isinstance(value, list) else value


def operations(user: Foreign) -> frozenset[OpenAIOperation]:
    """Tell which operations an author's model has methods for."""
    return frozenset(each for each, name in _METHODS.items() if callable(getattr(user, name, None)))


async def ask(
    user: Foreign, call: Call, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
    """Call the author's method; a synchronous one through `call`.

    Raises:
        InferenceError: the method answered with an error, or with what is no answer.
        Exception: whatever the method raised.

    """
    method = getattr(user, _METHODS[operation])
    try:
        bound = partial(method, _request(user, operation, payload), **_more(method, headers))
        result = bound() if inspect.iscoroutinefunction(method) else await call(bound)
        result = await result if inspect.isawaitable(result) else result
    except Exception as raised:
        raise_for_the_caller(_unwrapped(raised))
    return _chunks(call, result) if yields(result) else _plain(result)


def _unwrapped(raised: Exception) -> Exception:
    """Give the error that kserve's OpenAIError carries, and any other exception as it is."""
    error = getattr(getattr(raised, "response", None), "error", None)
    return raised if error is None else _meant(error)


def _request(user: Foreign, operation: OpenAIOperation, payload: dict[str, Any]) -> Foreign:
    if not any(kind.__module__.startswith(_KSERVES) for kind in type(user).__mro__):
        return OpenAIRequest(payload)
    # A subclass of kserve's own has imported these, and pydantic with them.
    types = importlib.import_module(f"{_KSERVES}.types")
    pydantic = importlib.import_module("pydantic")
    try:
        return pydantic.TypeAdapter(getattr(types, _TYPES[operation])).validate_python(payload)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{field!r}: {first['msg']}") from None


def _more(method: Callable[..., Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """Give of kserve's further arguments, and of `headers`, those that the method takes."""
    parameters = inspect.signature(method).parameters
    # There is no FastAPI request here; kserve's own signature has None for it.
    offered = {"raw_request": None, "context": {"headers": dict(headers)}, "headers": dict(headers)}
    return {name: value for name, value in offered.items() if name in parameters}


async def _chunks(call: Call, result: Foreign) -> AsyncIterator[dict[str, Any]]:
    async with aclosing(pieces(call, result)) as source:
        async for piece in source:
            if isinstance(piece, str | bytes):
                text = piece if isinstance(piece, str) else piece.decode()
                for line in filter(None, map(str.strip, text.splitlines())):
                    data = line.removeprefix("data:").strip()
                    if data == "[DONE]":
                        return
                    yield _plain(orjson.loads(data))
            else:
                yield _plain(piece)


def _plain(result: Foreign) -> dict[str, Any]:
    """Return an answer or a chunk as its JSON object. Raises InferenceError where it is an error, or none of these."""
    dump = getattr(result, "model_dump", None)
    plain = dump(mode="json", exclude_none=True) if callable(dump) else result
    if not isinstance(plain, Mapping):
        raise InferenceError(
            f"the model answered an OpenAI request with {type(result).__name__}; return a dict or a pydantic object, "
            "or yield them"
        )
    error = plain.get("error")
    if error is not None:
        raise _meant(error)
    return dict(plain)


def _meant(error: Foreign) -> InferenceError:
    """Give the error that an author answered with: kserve's ErrorResponse, whose code is an HTTP status."""
    dump = getattr(error, "model_dump", None)
    fields = dump() if callable(dump) else error if isinstance(error, Mapping) else {"message": str(error)}
    code = str(fields.get("code", ""))
    status = int(code) if code.isdigit() and 400 <= int(code) < 600 else 500
    return with_status(status, str(fields.get("message", "the model answered with an error")))
