"""The methods under `custom_handler` as routes: their arguments from path, query and body, as FastAPI would fill them.

A method that wants what FastAPI gives besides (Depends, Header, Form, ...) gets it from FastAPI itself.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

from modelwright.codecs.json_text import write_json
from modelwright.errors import InvalidInput, Unprocessable
from modelwright.model import HttpAnswer, HttpRequest, OwnRoute
from modelwright.styles.mlserver import fastapi_route
from modelwright.styles.mlserver.calls import Call
from modelwright.styles.mlserver.foreign import Foreign

Run = Callable[..., Awaitable[Foreign]]
_JSON: Final = {"content-type": "application/json"}
_SCALARS: Final = (str, int, float, bool)
_TRUE: Final = ("1", "true", "on", "yes")
_FALSE: Final = ("0", "false", "off", "no")
_PART: Final = re.compile(r"\{(\w+)(?::path)?\}")


def own_routes(user: Foreign, library: Foreign, run: Run) -> tuple[OwnRoute, ...]:
    """Return the routes of an author's object; `run` calls a method with its arguments."""
    made = []
    for handler, method in library.handlers.get_custom_handlers(user):
        path, verb = handler.rest_path, handler.rest_method.upper()
        theirs = fastapi_route.wanted_by(method)
        route = fastapi_route.FastAPIRoute(method, path, verb, run) if theirs else _Route(method, path, run)
        made.append(OwnRoute(verb, path, route.answer))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Argument:
    """Where one argument comes from: "path", "query", "body" or "request"; `kind` is its type."""

    name: str
    source: str
    kind: Foreign
    default: Foreign


class _Route:
    def __init__(self, method: Foreign, path: str, run: Run) -> None:
        self._call = Call(f"{method.__qualname__}()", method)
        self._run = run
        parts = {match[1] for match in _PART.finditer(path)}
        hints = get_type_hints(method)
        signature = inspect.signature(method).parameters.values()
        self._arguments = [_argument(each, hints.get(each.name), parts) for each in signature]
        self._bodies = [each.name for each in self._arguments if each.source == "body"]

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request.

        Raises:
            InvalidInput: the body is no JSON.
            Unprocessable: an argument is missing, or of another type.

        """
        query = parse_qs(request.query, keep_blank_values=True)
        body = _body(request.body) if self._bodies else None
        arguments = [self._value(each, request, query, body) for each in self._arguments]
        return _answer(await self._run(self._call, *arguments))

    def _value(self, wanted: _Argument, request: HttpRequest, query: Mapping[str, list[str]], body: Foreign) -> Foreign:
        if wanted.source == "request":
            return _foreign_request(wanted.kind, request)
        if wanted.source == "path":
            return _scalar(wanted, request.path_parameters[wanted.name])
        if wanted.source == "query":
            return _scalar(wanted, query[wanted.name][-1]) if wanted.name in query else _default(wanted)
        if len(self._bodies) == 1:
            return _default(wanted) if body is None else _document(wanted, body)
        given = body.get(wanted.name) if isinstance(body, dict) else None
        return _default(wanted) if given is None else _document(wanted, given)


def _argument(parameter: inspect.Parameter, hint: Foreign, parts: set[str]) -> _Argument:
    default = parameter.default
    kind = _inner(hint)
    if getattr(kind, "__module__", "").startswith("starlette") and kind.__name__ == "Request":
        return _Argument(parameter.name, "request", kind, default)
    source = "path" if parameter.name in parts else "query" if kind in _SCALARS or kind in (None, Any) else "body"
    return _Argument(parameter.name, source, kind, default)


def _inner(hint: Foreign) -> Foreign:
    """Return the type under an Optional."""
    inner = [each for each in get_args(hint) if each is not type(None)]
    if type(None) in get_args(hint) and len(inner) == 1:
        return inner[0]
    return hint


def _default(wanted: _Argument) -> Foreign:
    if wanted.default is inspect.Parameter.empty:
        raise Unprocessable(f"{wanted.source} parameter {wanted.name!r} is missing")
    return wanted.default


def _scalar(wanted: _Argument, text: str) -> Foreign:
    if wanted.kind is bool:
        if text.lower() in (*_TRUE, *_FALSE):
            return text.lower() in _TRUE
    elif wanted.kind not in (int, float):
        return text
    else:
        try:
            return wanted.kind(text)
        except ValueError:
            pass
    raise Unprocessable(f"{wanted.source} parameter {wanted.name!r} must be {wanted.kind.__name__}, not {text!r}")


def _body(content: bytes) -> Foreign:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as error:
        raise InvalidInput(f"the body is not valid JSON: {error}") from None


def _document(wanted: _Argument, value: Foreign) -> Foreign:
    """Return a JSON value as the type of its argument: a list, a dictionary, or what `model_validate` makes of it."""
    kind: Foreign = get_origin(wanted.kind) or wanted.kind
    if hasattr(kind, "model_validate"):
        try:
            return kind.model_validate(value)
        except ValueError as error:
            raise Unprocessable(f"the body is no {kind.__name__}: {error}") from None
    plain = dict if kind is dict else list
    if kind in (list, tuple, set, dict) and not isinstance(value, plain):
        raise Unprocessable(f"body parameter {wanted.name!r} must be {plain.__name__}, not {type(value).__name__}")
    return kind(value) if kind in (tuple, set) else value


def _foreign_request(kind: Foreign, request: HttpRequest) -> Foreign:
    """Return a request as the author's own starlette has it."""
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
        "path_params": dict(request.path_parameters),
    }

    async def receive() -> dict[str, Foreign]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    return kind(scope, receive)


def _answer(result: Foreign) -> HttpAnswer:
    """Return a starlette response as it is, all else as JSON. Raises InferenceError for what has no JSON form."""
    if hasattr(result, "status_code") and hasattr(result, "body"):
        return HttpAnswer(result.status_code, bytes(result.body), dict(result.headers))
    return HttpAnswer(200, write_json(_plain(result)), _JSON)


def _plain(value: Foreign) -> Foreign:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.model_dump() if hasattr(value, "model_dump") else value
