"""A method under `custom_handler` that wants of FastAPI what only FastAPI gives: Depends, Header, Form, a Response, ...

Its author has imported FastAPI, so it is there, and fills the arguments itself, as in MLServer.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, get_args, get_origin

from modelwright.errors import InferenceError
from modelwright.model import HttpAnswer, HttpRequest
from modelwright.styles.mlserver.calls import Call
from modelwright.styles.mlserver.foreign import Foreign

_PACKAGES = ("fastapi", "starlette")


def wanted_by(method: Foreign) -> bool:
    """Tell whether a parameter has a default, or a type other than Request, of FastAPI's own."""
    for parameter in _signature(method).parameters.values():
        hint = parameter.annotation
        kinds = [*get_args(hint), hint] if get_origin(hint) is not Annotated else get_args(hint)
        for each in (parameter.default, *kinds):
            named = each if inspect.isclass(each) else type(each)
            if named.__module__.partition(".")[0] in _PACKAGES and named.__name__ != "Request":
                return True
    return False


def _signature(method: Foreign) -> inspect.Signature:
    try:
        return inspect.signature(method, eval_str=True)
    except NameError:
        # An annotation that is not there at run time says nothing.
        return inspect.signature(method)


class FastAPIRoute:
    """One route of a FastAPI application of its own."""

    def __init__(self, method: Foreign, path: str, verb: str, run: Callable[..., Awaitable[Foreign]]) -> None:
        """Take the author's method and its route; `run` calls it with its arguments in their order."""
        self._application: Foreign = importlib.import_module("fastapi").FastAPI(openapi_url=None)
        self._application.add_api_route(path, _endpoint(method, run), methods=[verb])

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request.

        Raises:
            InferenceError: the method raised what MLServer answers with a status.
            Exception: whatever else it raised.

        """
        sent: list[dict[str, Foreign]] = []

        async def send(message: dict[str, Foreign]) -> None:
            sent.append(message)

        await self._application(_scope(request), _receive(request.body), send)
        begun = next(each for each in sent if each["type"] == "http.response.start")
        body = b"".join(each.get("body", b"") for each in sent if each["type"] == "http.response.body")
        return HttpAnswer(begun["status"], body, dict(_text(begun["headers"])))


def _endpoint(method: Foreign, run: Callable[..., Awaitable[Foreign]]) -> Foreign:
    call = Call(f"{method.__qualname__}()", method)
    signature = _signature(method)
    refused: type[Exception] = importlib.import_module("starlette.exceptions").HTTPException

    @functools.wraps(method)
    async def endpoint(**given: Foreign) -> Foreign:
        try:
            return await run(call, *(given[name] for name in signature.parameters))
        except InferenceError as error:
            # FastAPI has an answer of its own to its own exceptions.
            if isinstance(error.__cause__, refused):
                raise error.__cause__ from None
            raise

    # What stands as text in the author's file is not to be looked for in this one.
    vars(endpoint)["__signature__"] = signature
    return endpoint


def _scope(request: HttpRequest) -> dict[str, Foreign]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": request.path,
        "root_path": "",
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
    }


def _receive(body: bytes) -> Callable[[], Awaitable[dict[str, Foreign]]]:
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Foreign]:
        return next(messages, {"type": "http.disconnect"})

    return receive


def _text(headers: list[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    return ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
