"""The admin port: models listed, loaded and unloaded over HTTP, as Triton's model repository extension has it.

Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md; the
answers' bodies are kserve's, which Triton's clients do not read. It asks nobody for credentials, so it listens on the
loopback address unless it is told otherwise.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from modelwright.codecs.describe import describe, quote
from modelwright.codecs.document import parse_json
from modelwright.errors import InferenceError, InvalidInput, ModelNotReady
from modelwright.server import log
from modelwright.server.admin.channel import Channel
from modelwright.server.admin.control import Control, Verb
from modelwright.server.admin.lifecycle import Lifecycle
from modelwright.server.failure import failed
from modelwright.server.loading import LoadFailed
from modelwright.server.rest import bodies, replies
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.routes import shown
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.rest.wire.request import Request

Answer = tuple[int, Headers, bytes]
Apply = Callable[[Verb, str], Awaitable[None]]

_INDEX: Final = "/v2/repository/index"
_MODEL: Final = re.compile(r"/v2/repository/models/(?P<name>[^/]+)/(?P<verb>load|unload)")
# Of a request's body: none has more in it than a flag.
_LIMIT: Final = 64 * 1024


class Admin:
    """The application behind the admin port; `apply` loads and unloads in every worker."""

    def __init__(self, listening: socket.socket, lifecycle: Lifecycle, apply: Apply | None = None) -> None:
        self.listening = listening
        self.lifecycle = lifecycle
        self._apply = apply or self._here

    def control(self, loaded: list[str]) -> Control:
        """Give the part that the workers' parent plays, of which these models are loaded."""
        return Control(self.lifecycle, loaded)

    async def in_worker(self, control: Control) -> Admin:
        """Give the application of a worker, in its own process, once the worker has every model that the others have.

        Raises:
            LoadFailed: it could not load one of them.

        """
        end, missing = control.in_worker()
        for name in missing:
            try:
                await self.lifecycle.load(name)
            except ModelNotReady as error:
                raise LoadFailed(error.message) from error
        channel = Channel(end, self.lifecycle)
        channel.listen()
        return Admin(self.listening, self.lifecycle, channel.apply)

    async def _here(self, verb: Verb, name: str) -> None:
        await (self.lifecycle.load(name) if verb == "load" else self.lifecycle.unload(name))

    async def __call__(self, request: Request) -> None:
        """Answer one request; what it began goes on when its client leaves."""
        path = shown(request.path)
        try:
            status, headers, body = await self._answer(request)
        except InferenceError as error:
            status, headers, body = replies.refusal(error)
        except bodies.ClientLeft:
            return
        except Exception:
            status, headers, body = replies.refusal(failed(path, request.caller.request_id))
        log.LOGGER.info("admin: %s %s %d", request.method, path, status)
        close = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        await replies.send_answer(request, status, headers, body, close=close)

    async def _answer(self, request: Request) -> Answer:
        path = request.path
        found = _MODEL.fullmatch(path)
        if found is None and path != _INDEX:
            known = f"{_INDEX} and /v2/repository/models/NAME/load and .../unload"
            return _error(HTTPStatus.NOT_FOUND, f"there is no {shown(path)} on the admin port; there are {known}")
        if request.method != "POST":
            status, headers, body = _error(HTTPStatus.METHOD_NOT_ALLOWED, "this path answers POST only")
            return status, [*headers, (b"allow", b"POST")], body
        headers_read = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        fields = _fields(await bodies.read(request, headers_read, _LIMIT))
        if found is None:
            return _json(self.lifecycle.index(ready_only=_flag("the body", fields, "ready")))
        name, verb = found["name"], found["verb"]
        self.lifecycle.check(name)
        parameters = fields.pop("parameters", {})
        if not isinstance(parameters, dict):
            raise InvalidInput(f"'parameters' must be an object, not {describe(parameters)}")
        if verb == "unload":
            # Triton's clients always send it; no model here depends on another.
            _flag("'parameters'", parameters, "unload_dependents")
        elif parameters:
            names = ", ".join(map(quote, parameters))
            raise InvalidInput(f"'parameters' has {names}; leave it out: a model is loaded as the server was started")
        _none_left("the body", fields)
        # Shielded: half of the workers must not have it because its client left.
        await asyncio.shield(self._apply("load" if verb == "load" else "unload", name))
        return _json({"name": name, verb: True})


def _fields(body: bytes) -> dict[str, Any]:
    document = parse_json(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise InvalidInput(f"the body must be a JSON object or empty, not {describe(document)}")
    return document


def _flag(where: str, fields: dict[str, Any], name: str) -> bool:
    """Take the one flag that there may be, false by default. Raises InvalidInput for anything else."""
    value = fields.pop(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{where}: {name!r} must be true or false, not {describe(value)}")
    _none_left(where, fields)
    return value


def _none_left(where: str, fields: dict[str, Any]) -> None:
    for name in fields:
        raise InvalidInput(f"{where} has {quote(name)}, which means nothing here; leave it out")


def _json(value: object) -> Answer:
    return int(HTTPStatus.OK), [JSON], to_json(value)


def _error(status: HTTPStatus, message: str) -> Answer:
    return int(status), [JSON], to_json({"error": message})
