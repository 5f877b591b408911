"""The REST server as an ASGI application: a path becomes a route, a route an answer."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from modelwright.errors import InferenceError, ModelNotReady
from modelwright.model import Repository
from modelwright.server import log, protocol, replies
from modelwright.server.arguments import Arguments
from modelwright.server.asgi import Headers, Receive, Scope, Send
from modelwright.server.bodies import ClientLeft, discard
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.describe import Describer
from modelwright.server.execution import Execution
from modelwright.server.health import Health
from modelwright.server.inference import Answer, Inference
from modelwright.server.routes import Route, route, shown

# Paths that have been read; bounded, because callers choose them.
_KNOWN_PATHS = 1024


class Application:
    """Answers HTTP requests; one per process."""

    def __init__(self, repository: Repository, arguments: Arguments, execution: Execution, health: Health) -> None:
        self._health = health
        self._access_log = arguments.access_log
        self._describer = Describer(repository, health)
        self._inference = Inference(repository, arguments, execution)
        self._routes: dict[str, Route | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens; one whose client has left gets no answer."""
        caller: Caller = scope.get("caller") or Caller(scope["headers"])
        CALLER.set(caller)
        begun = perf_counter() if self._access_log else 0.0
        try:
            status, headers, body = await self._answer(scope, receive, caller)
        except (ClientLeft, asyncio.CancelledError):
            return
        cycle = scope.pop("cycle", None)
        too_large = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        close = self._health.draining or too_large
        if too_large and scope["method"] != "HEAD":
            await self._refuse_body(send, receive, headers, status, body)
        elif not (
            cycle and isinstance(body, bytes) and protocol.write_answer(cycle, status, headers, body, close=close)
        ):
            await replies.send_answer(send, status, headers, body, close=close)
        if self._access_log:
            log.access(scope["method"], shown(scope["path"]), status, caller.request_id, perf_counter() - begun)

    async def _answer(self, scope: Scope, receive: Receive, caller: Caller) -> Answer:
        try:
            answer = await self._dispatch(scope["method"], scope["path"], receive, caller)
        except InferenceError as error:
            answer = replies.refusal(error)
        except ClientLeft:
            raise
        except asyncio.CancelledError:
            if caller.gone:
                raise
            if not self._health.draining:
                return _failure(scope["path"], caller)
            answer = replies.refusal(ModelNotReady("the server stopped before the model had answered"))
        except Exception:
            return _failure(scope["path"], caller)
        given = caller.given_id
        if given is None:
            return answer
        status, headers, body = answer
        return status, [*headers, (REQUEST_ID_HEADER, given)], body

    async def _dispatch(self, method: str, path: str, receive: Receive, caller: Caller) -> Answer:
        found = self._route(path)
        if found is None:
            return _error(HTTPStatus.NOT_FOUND, f"there is no {shown(path)} here; see /v1/models and /v2/models")
        if method == found.method == "POST":
            return await self._inference.answer(found, receive, caller)
        if found.method == "GET" and method in ("GET", "HEAD"):
            return self._describer.answer(found)
        return _wrong_method(found)

    def _route(self, path: str) -> Route | None:
        try:
            return self._routes[path]
        except KeyError:
            if len(self._routes) >= _KNOWN_PATHS:
                self._routes.clear()
            return self._routes.setdefault(path, route(path))

    @staticmethod
    async def _refuse_body(send: Send, receive: Receive, headers: Headers, status: int, body: replies.Body) -> None:
        """Answer a body that is not going to be read: first the whole answer, then a pause, then the end."""
        content = body if isinstance(body, bytes) else b"".join(body)
        full = [*headers, (b"content-length", b"%d" % len(content)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": full})
        await send({"type": "http.response.body", "body": content, "more_body": True})
        await discard(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _error(status: HTTPStatus, message: str) -> Answer:
    return int(status), [replies.JSON], replies.to_json({"error": message})


def _wrong_method(found: Route) -> Answer:
    status, headers, body = _error(HTTPStatus.METHOD_NOT_ALLOWED, f"this path answers {found.method} only")
    allowed = b"GET, HEAD" if found.method == "GET" else b"POST"
    return status, [*headers, (b"allow", allowed)], body


def _failure(path: str, caller: Caller) -> Answer:
    """Log the author's exception whole, and tell the caller only where to look for it."""
    log.LOGGER.exception("%s failed, requestId: %s", shown(path), caller.request_id)
    message = "the model failed on this request; its server's log has the reason under this request id"
    body = replies.to_json({"error": message, "request_id": caller.request_id})
    return 500, [replies.JSON, (REQUEST_ID_HEADER, caller.request_id.encode())], body
