"""The REST server as an ASGI application: a path becomes a route, a route an answer."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from modelwright.errors import InferenceError, ModelNotReady, WrongMethod
from modelwright.server import log
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.execution import Execution
from modelwright.server.failure import failed
from modelwright.server.health import Health
from modelwright.server.metrics.exposition import Exposition
from modelwright.server.metrics.families import CLIENT_LEFT
from modelwright.server.rest import own_routes, protocol, replies
from modelwright.server.rest.asgi import Headers, Receive, Scope, Send
from modelwright.server.rest.bodies import ClientLeft, discard
from modelwright.server.rest.describe import Describer
from modelwright.server.rest.inference import Answer, Inference
from modelwright.server.rest.routes import Action, Route, missing, route, shown
from modelwright.server.setup import Setup
from modelwright.server.streams import CutOff

# Python 3.11 calls a function for each member of an Enum that is asked for by name.
_TOO_LARGE = int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
# Paths that have been read; bounded, because callers choose them.
_KNOWN_PATHS = 1024


class Application:
    """Answers HTTP requests; one per process."""

    def __init__(self, setup: Setup, execution: Execution, health: Health) -> None:
        repository, arguments, metrics = setup.repository, setup.arguments, setup.metrics
        self._repository = repository
        self._health = health
        self._exposition = Exposition(metrics)
        self._access_log = arguments.access_log or bool(arguments.access_log_format)
        self._access_format = log.access_format(arguments)
        self._describer = Describer(repository, health, docs=arguments.enable_docs_url)
        self._inference = Inference(repository, arguments, execution, metrics)
        self._routes: dict[str, Route | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens; one whose client has left gets no answer."""
        caller: Caller = scope.get("caller") or Caller(scope["headers"])
        CALLER.set(caller)
        begun = perf_counter() if self._access_log else 0.0
        try:
            status, headers, body = await self._answer(scope, receive, caller)
            # Before it is sent, so that whoever has an answer finds it counted; one in pieces counts at its end.
            if isinstance(body, (bytes, list)):
                caller.count(status)
            await self._send(scope, receive, send, status, headers, body)
        except (ClientLeft, asyncio.CancelledError):
            caller.count(CLIENT_LEFT)
            return
        except CutOff:
            caller.count(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        caller.count(status)
        if self._access_log:
            self._log_access(scope, status, headers, body, caller.request_id, perf_counter() - begun)

    async def _send(
        self, scope: Scope, receive: Receive, send: Send, status: int, headers: Headers, body: replies.Body
    ) -> None:
        cycle = scope.pop("cycle", None)
        too_large = status == _TOO_LARGE
        close = self._health.draining or too_large
        if too_large and isinstance(body, bytes) and scope["method"] != "HEAD":
            await self._refuse_body(send, receive, headers, status, body)
        elif not (
            cycle and isinstance(body, bytes) and protocol.write_answer(cycle, status, headers, body, close=close)
        ):
            await replies.send_answer(send, status, headers, body, close=close)

    def _log_access(
        self, scope: Scope, status: int, headers: Headers, body: replies.Body, request_id: str, seconds: float
    ) -> None:
        if self._access_format is None:
            log.access(scope["method"], shown(scope["path"]), status, request_id, seconds)
        else:
            log.access_line(self._access_format.line(scope, status, headers, replies.size(body), seconds))

    async def _answer(self, scope: Scope, receive: Receive, caller: Caller) -> Answer:
        try:
            answer = await self._dispatch(scope, receive, caller)
        except InferenceError as error:
            answer = self._refusal(scope["path"], error)
        except ClientLeft:
            raise
        except asyncio.CancelledError:
            if caller.gone:
                raise
            if not self._health.draining:
                return self._refusal(scope["path"], failed(shown(scope["path"]), caller.request_id))
            stopped = ModelNotReady("the server stopped before the model had answered")
            answer = self._refusal(scope["path"], stopped)
        except Exception:
            return self._refusal(scope["path"], failed(shown(scope["path"]), caller.request_id))
        given = caller.given_id
        if given is None:
            return answer
        status, headers, body = answer
        return status, [*headers, (REQUEST_ID_HEADER, given)], body

    async def _dispatch(self, scope: Scope, receive: Receive, caller: Caller) -> Answer:
        method, path = scope["method"], scope["path"]
        found = self._route(path)
        if found is None:
            return await self._own(scope, receive, caller)
        if method == found.method == "POST":
            return await self._inference.answer(found, receive, caller)
        if found.method == "GET" and method in ("GET", "HEAD"):
            if found.action is Action.METRICS:
                return await self._exposition.answer(caller.headers)
            return self._describer.answer(found)
        status, headers, body = self._refusal(path, WrongMethod(f"this path answers {found.method} only"))
        return status, [*headers, (b"allow", b"GET, HEAD" if found.method == "GET" else b"POST")], body

    async def _own(self, scope: Scope, receive: Receive, caller: Caller) -> Answer:
        """Answer a path that is none of the protocols': a model's own route, or none at all."""
        path = scope["path"]
        found = own_routes.find(self._repository, scope["method"], path)
        if isinstance(found, own_routes.Found):
            asked = found.route_for(path, scope["query_string"].decode("latin-1"))
            return await self._inference.answer(asked, receive, caller)
        if not found:
            return _error(HTTPStatus.NOT_FOUND, missing(path))
        status, headers, body = _error(HTTPStatus.METHOD_NOT_ALLOWED, f"this path answers {', '.join(found)} only")
        return status, [*headers, (b"allow", ", ".join(found).encode())], body

    def _refusal(self, path: str, error: InferenceError) -> Answer:
        found = self._route(path)
        if found is None or not found.openai:
            return replies.refusal(error)
        # Only who is asked in OpenAI's way pays for the import.
        from modelwright.server.rest import openai  # noqa: PLC0415

        return openai.refusal(error)

    def _route(self, path: str) -> Route | None:
        try:
            return self._routes[path]
        except KeyError:
            if len(self._routes) >= _KNOWN_PATHS:
                self._routes.clear()
            return self._routes.setdefault(path, route(path))

    @staticmethod
    async def _refuse_body(send: Send, receive: Receive, headers: Headers, status: int, content: bytes) -> None:
        """Answer a body that is not going to be read: first the whole answer, then a pause, then the end."""
        full = [*headers, (b"content-length", b"%d" % len(content)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": full})
        await send({"type": "http.response.body", "body": content, "more_body": True})
        await discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _error(status: HTTPStatus, message: str) -> Answer:
    return int(status), [replies.JSON], replies.to_json({"error": message})
