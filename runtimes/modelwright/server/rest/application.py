"""The REST server: a path becomes a route, a route an answer."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from modelwright.errors import InferenceError, ModelNotReady, WrongMethod
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.execution import Execution
from modelwright.server.failure import failed
from modelwright.server.health import Health
from modelwright.server.metrics.exposition import Exposition
from modelwright.server.metrics.families import CLIENT_LEFT
from modelwright.server.rest import own_routes, replies
from modelwright.server.rest.access_log import AccessLog
from modelwright.server.rest.bodies import ClientLeft
from modelwright.server.rest.describe import Describer
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.inference import Answer, Inference
from modelwright.server.rest.routes import Action, Routes, missing, shown
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.rest.wire.request import Request
from modelwright.server.setup import Setup
from modelwright.server.streams import CutOff

# Python 3.11 calls a function for each member of an Enum that is asked for by name.
_TOO_LARGE = int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class Application:
    """Answers HTTP requests; one per process."""

    def __init__(self, setup: Setup, execution: Execution, health: Health) -> None:
        repository, arguments, metrics = setup.repository, setup.arguments, setup.metrics
        self._repository = repository
        self._health = health
        self._exposition = Exposition(metrics)
        self._log = AccessLog(arguments)
        self._describer = Describer(repository, health, docs=arguments.enable_docs_url)
        self._inference = Inference(repository, arguments, execution, metrics)
        self._routes = Routes()

    async def __call__(self, request: Request) -> None:
        """Answer one request, whatever happens; one whose client has left gets no answer."""
        caller = request.caller
        CALLER.set(caller)
        begun = perf_counter() if self._log.on else 0.0
        try:
            status, headers, body = await self._answer(request, caller)
            # Before it is sent, so that whoever has an answer finds it counted; one in pieces counts at its end.
            if isinstance(body, (bytes, list)):
                caller.count(status)
            # A body that is too large is not going to be read: nobody could tell where the next request begins.
            close = self._health.draining or status == _TOO_LARGE
            await replies.send_answer(request, status, headers, body, close=close)
        except (ClientLeft, asyncio.CancelledError):
            caller.count(CLIENT_LEFT)
            return
        except CutOff:
            caller.count(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        caller.count(status)
        if self._log.on:
            self._log.write(request, status, headers, body, perf_counter() - begun)

    async def _answer(self, request: Request, caller: Caller) -> Answer:
        try:
            answer = await self._dispatch(request, caller)
        except InferenceError as error:
            answer = self._refusal(request.path, error)
        except ClientLeft:
            raise
        except asyncio.CancelledError:
            if caller.gone:
                raise
            if not self._health.draining:
                return self._refusal(request.path, failed(shown(request.path), caller.request_id))
            stopped = ModelNotReady("the server stopped before the model had answered")
            answer = self._refusal(request.path, stopped)
        except Exception:
            return self._refusal(request.path, failed(shown(request.path), caller.request_id))
        given = caller.given_id
        if given is None:
            return answer
        status, headers, body = answer
        return status, [*headers, (REQUEST_ID_HEADER, given)], body

    async def _dispatch(self, request: Request, caller: Caller) -> Answer:
        method, path = request.method, request.path
        found = self._routes.of(path)
        if found is None:
            return await self._own(request, caller)
        if method == found.method == "POST":
            return await self._inference.answer(found, request, caller)
        if found.method == "GET" and method in ("GET", "HEAD"):
            if found.action is Action.METRICS:
                return await self._exposition.answer(caller.headers)
            return self._describer.answer(found)
        status, headers, body = self._refusal(path, WrongMethod(f"this path answers {found.method} only"))
        return status, [*headers, (b"allow", b"GET, HEAD" if found.method == "GET" else b"POST")], body

    async def _own(self, request: Request, caller: Caller) -> Answer:
        """Answer a path that is none of the protocols': a model's own route, or none at all."""
        path = request.path
        found = own_routes.find(self._repository, request.method, path)
        if isinstance(found, own_routes.Found):
            asked = found.route_for(path, request.query.decode("latin-1"))
            return await self._inference.answer(asked, request, caller)
        if not found:
            return _error(HTTPStatus.NOT_FOUND, missing(path))
        status, headers, body = _error(HTTPStatus.METHOD_NOT_ALLOWED, f"this path answers {', '.join(found)} only")
        return status, [*headers, (b"allow", ", ".join(found).encode())], body

    def _refusal(self, path: str, error: InferenceError) -> Answer:
        found = self._routes.of(path)
        if found is None or not found.openai:
            return replies.refusal(error)
        # Only who is asked in OpenAI's way pays for the import.
        from modelwright.server.rest import openai  # noqa: PLC0415

        return openai.refusal(error)


def _error(status: HTTPStatus, message: str) -> Answer:
    return int(status), [JSON], to_json({"error": message})
