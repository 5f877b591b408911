"""NOS's own HTTP endpoint, `POST /v1/infer` and `POST /v1/infer/file`, for all models that are served."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

from modelwright.codecs.json_text import write_json
from modelwright.errors import InferenceError, InvalidInput
from modelwright.model import HttpAnswer, HttpRequest, OwnRoute
from modelwright.styles.nos import outputs, upload
from modelwright.styles.nos.adapter import NosModel
from modelwright.styles.nos.method import Method

_JSON: Final = {"content-type": "application/json"}
# What NOS calls its streams, which are the pieces as they come and no events.
_PIECES: Final = {"content-type": "text/event-stream; charset=utf-8"}
_OK: Final = 200
_CREATED: Final = 201


class Endpoint:
    """Answers with what the method returns, as JSON, status 201; or with each piece as it comes, status 200.

    `/v1/infer` takes `{model_id, inputs, method?, stream?}`, `/v1/infer/file` a form of `model_id`, `file`, `method?`.
    """

    def __init__(self) -> None:
        self.models: Sequence[NosModel] = ()
        self.routes = (
            OwnRoute("POST", "/v1/infer", _told(self._infer)),
            OwnRoute("POST", "/v1/infer/file", _told(self._infer_file)),
        )

    async def _infer(self, request: HttpRequest) -> HttpAnswer:
        asked = _read(request.body)
        inputs = asked.get("inputs")
        if not isinstance(inputs, dict):
            raise InvalidInput("'inputs' must be an object: the method's inputs by name")
        model, method = self._method(asked.get("model_id"), asked.get("method"))
        arguments = method.of_json(inputs)
        if asked.get("stream") and method.streams:
            return HttpAnswer(_OK, _pieces(method.pieces(model.execution, arguments)), _PIECES)
        value = await method.call(model.execution, arguments)
        if asked.get("stream"):
            return HttpAnswer(_OK, _one(value), _PIECES)
        return HttpAnswer(_CREATED, write_json(outputs.plain(value)), _JSON)

    async def _infer_file(self, request: HttpRequest) -> HttpAnswer:
        form = upload.read(request.body, request.headers.get("content-type", ""))
        model, method = self._method(form.model_id, form.method)
        async with form.arguments(method) as arguments:
            value = await method.call(model.execution, arguments)
        return HttpAnswer(_CREATED, write_json(outputs.plain(value)), _JSON)

    def _method(self, model_id: object, method: object) -> tuple[NosModel, Method]:
        for model in self.models:
            # NOS writes '/' as '--' where an id is part of a path.
            if model_id in (model.instance.id, model.instance.name):
                return model, model.instance.method(method)
        known = ", ".join(model.instance.id for model in self.models)
        # NOS answers 400, not 404.
        raise InvalidInput(f"'model_id' {model_id!r} is not served here; these are: {known}")


Answering = Callable[[HttpRequest], Awaitable[HttpAnswer]]


def _told(answers: Answering) -> Answering:
    async def answer(request: HttpRequest) -> HttpAnswer:
        try:
            return await answers(request)
        except InferenceError as error:
            return HttpAnswer(int(error.status), json.dumps({"error": error.message}).encode(), _JSON)

    return answer


async def _pieces(source: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    try:
        async for piece in source:
            yield _piece(piece)
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


async def _one(value: object) -> AsyncIterator[bytes]:
    yield _piece(value)


def _piece(value: object) -> bytes:
    """Write text as it is, as NOS does; what is no text, which NOS cannot send, as a line of JSON."""
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else write_json(outputs.plain(value)) + b"\n"


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise InvalidInput("the body must be a JSON object: {model_id, inputs, method}")
    return asked
