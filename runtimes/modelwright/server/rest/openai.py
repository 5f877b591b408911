"""The operations that OpenAI's clients ask for: chat/completions, completions and embeddings."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import numpy as np

from modelwright.codecs import openai as codec
from modelwright.codecs.json_text import write_json
from modelwright.errors import InferenceError, InvalidInput, ModelNotFound, Overloaded
from modelwright.model import Model, OpenAIOperation
from modelwright.server.caller import Caller
from modelwright.server.limits import deadline, in_time, moment
from modelwright.server.rest import replies, sse
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.streams import Form, Stream

Answer = tuple[int, Headers, replies.Body]
_REQUESTS: Final = {
    OpenAIOperation.CHAT: ("messages", codec.CHAT),
    OpenAIOperation.COMPLETION: ("prompt", codec.COMPLETION),
    OpenAIOperation.EMBEDDING: ("input", codec.EMBEDDING),
}
# What an answer is called, and a chunk of one.
_OBJECTS: Final = {
    OpenAIOperation.CHAT: ("chat.completion", "chat.completion.chunk"),
    OpenAIOperation.COMPLETION: ("text_completion", "text_completion"),
    OpenAIOperation.EMBEDDING: ("list", "list"),
}


def read(body: bytes, operation: OpenAIOperation) -> dict[str, Any]:
    """Return the request in a body. Raises InvalidInput naming what is wrong in it."""
    return codec.read(body, *_REQUESTS[operation])


async def answer(
    operation: OpenAIOperation, model: Model, payload: dict[str, Any], headers: dict[str, str], caller: Caller
) -> Answer:
    """Answer a request that `read` gave, in chunks where it asks for them.

    Raises:
        InferenceError: what the caller is told.
        Exception: whatever the author's code raised.

    """
    offered = model.openai_operations
    if operation not in offered:
        names = ", ".join(sorted(each.value for each in offered)) or "none of OpenAI's operations"
        raise InvalidInput(f"model {model.name!r} does not offer {operation.value}; it offers {names}")
    seconds = deadline(headers)
    until = moment(seconds)
    # Generation takes long, and is given up, as kserve does, when nobody waits for it any more.
    caller.task = asyncio.current_task()
    try:
        result = await in_time(model.openai(operation, payload, headers), seconds)
    finally:
        caller.task = None
    known = {"id": caller.request_id, "created": int(time.time()), "model": model.name}
    if payload.get("stream") is True and operation is not OpenAIOperation.EMBEDDING:
        chunks = result if isinstance(result, AsyncIterator) else _one(_as_chunk(result))
        write = partial(_chunk, {**known, "object": _OBJECTS[operation][1]})
        stream = Stream(chunks, write, caller, until, _FORM)
        await stream.begin()
        return 200, sse.HEADERS, stream
    if isinstance(result, AsyncIterator):
        raise InferenceError("the model answered in chunks, which the request did not ask for; return one answer then")
    if operation is OpenAIOperation.EMBEDDING:
        del known["id"], known["created"]
        if payload.get("encoding_format") == "base64":
            _pack(result)
    return 200, [JSON], write_json({**known, "object": _OBJECTS[operation][0], **result})


def _chunk(known: dict[str, Any], chunk: dict[str, Any]) -> bytes:
    return sse.event(write_json({**known, **chunk}))


async def _one(chunk: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield chunk


def _as_chunk(result: dict[str, Any]) -> dict[str, Any]:
    """Give a whole answer as the one chunk of a stream: a chat's messages become deltas."""
    choices = [
        {"delta" if name == "message" else name: value for name, value in choice.items()}
        for choice in result.get("choices", ())
    ]
    return {name: value for name, value in result.items() if name != "object"} | {"choices": choices}


def _pack(result: dict[str, Any]) -> None:
    """Write embeddings as OpenAI's client asks for them by default: base64 of little-endian float32."""
    for item in result.get("data", ()):
        if not isinstance(item.get("embedding"), str):
            packed = np.asarray(item["embedding"], "<f4").tobytes()
            item["embedding"] = base64.b64encode(packed).decode()


def refusal(error: InferenceError) -> tuple[int, Headers, bytes]:
    """Give the answer for an error, in OpenAI's form and with the headers that every refusal has."""
    status, headers, _ = replies.refusal(error)
    return status, headers, to_json(_told(error))


def _told(error: InferenceError) -> dict[str, Any]:
    kind, code, field = "invalid_request_error", None, getattr(error, "field", None)
    if isinstance(error, ModelNotFound):
        code, field = "model_not_found", "model"
    elif isinstance(error, Overloaded):
        kind, code = "rate_limit_error", "rate_limit_exceeded"
    elif error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "server_error"
    told = {"message": error.message, "type": kind, "param": field, "code": code}
    request_id = getattr(error, "request_id", None)
    return {"error": told | ({"request_id": request_id} if request_id else {})}


# Without a name: OpenAI's clients look for `error` in the data of every event.
_FORM: Final = Form(lambda error, _: sse.event(to_json(_told(error))), sse.event(b"[DONE]"))
