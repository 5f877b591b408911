"""Answers that do no inference: who serves, which models, how they are."""

from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any

from modelwright.errors import InferenceError, ModelNotReady
from modelwright.model import Model, ModelMetadata, Repository, TensorMetadata
from modelwright.server.health import Health
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.routes import Action, Route
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.versions import of_version, version

if TYPE_CHECKING:
    from modelwright.server.openapi.document import OpenApi

Answer = tuple[int, Headers, bytes]
_STARTED = int(time())
_OK = int(HTTPStatus.OK)
_UNAVAILABLE = int(HTTPStatus.SERVICE_UNAVAILABLE)
_ALIVE: Answer = (_OK, [JSON], b'{"status":"alive"}')
_LIVE: Answer = (_OK, [JSON], b'{"live":true}')
_READY: Answer = (_OK, [JSON], b'{"ready":true}')
_NOT_READY: Answer = (_UNAVAILABLE, [JSON], b'{"ready":false}')


class NotServed(InferenceError):
    """The server has this route, but it is switched off (404)."""

    status = HTTPStatus.NOT_FOUND


class Describer:
    """Answers every GET; the shapes are kserve's and the Open Inference Protocol's."""

    def __init__(self, repository: Repository, health: Health, *, docs: bool) -> None:
        self._repository = repository
        self._docs = docs
        self._openapi: OpenApi | None = None
        self._health = health
        self._answers = {
            Action.V1_MODELS: self._v1_models,
            Action.V2_MODELS: self._models,
            Action.OPENAI_MODELS: self._openai_models,
            Action.OPENAI_MODEL: self._openai_model,
            Action.SERVER: self._server,
            Action.V1_MODEL: self._model_ready,
            Action.V2_MODEL: self._model,
            Action.V2_MODEL_READY: self._model_ready,
        }

    def answer(self, route: Route) -> Answer:
        """Answer one route.

        Raises:
            ModelNotFound, ModelNotReady: as the route's model is.
            NotServed: the route is switched off.

        """
        if route.action is Action.LIVE:
            return _LIVE
        if route.action is Action.READY:
            return _READY if self._health.ready else _NOT_READY
        if route.action is Action.ROOT:
            return _ALIVE
        if route.action is Action.OPENAPI:
            return _OK, [JSON], self._page()
        if route.action is Action.DOCS:
            return self._docs_page()
        return _OK, [JSON], to_json(self._answers[route.action](route))

    def _page(self) -> bytes:
        if self._openapi is None:
            # Most servers are never asked.
            from modelwright.server.openapi.document import OpenApi  # noqa: PLC0415

            self._openapi = OpenApi(self._repository)
        return self._openapi.body()

    def _docs_page(self) -> Answer:
        if not self._docs:
            raise NotServed("there is no /docs here: start the server with --enable_docs_url=true; see /openapi.json")
        from modelwright.server.openapi import page as docs_page  # noqa: PLC0415

        return _OK, docs_page.headers(), docs_page.content()

    def _server(self, _: Route) -> dict[str, Any]:
        return {"name": "modelwright", "version": version(), "extensions": ["binary_tensor_data"]}

    def _models(self, _: Route) -> dict[str, Any]:
        return {"models": self._repository.names}

    def _v1_models(self, route: Route) -> dict[str, Any]:
        # KServe's clients read one field, OpenAI's, whose base_url ends with /v1, the others.
        openai = any(model.openai_operations for model in self._repository)
        return self._models(route) | (self._openai_models(route) if openai else {})

    def _openai_models(self, _: Route) -> dict[str, Any]:
        offering = [model for model in self._repository if model.openai_operations]
        return {"object": "list", "data": [_for_openai(model) for model in offering]}

    def _openai_model(self, route: Route) -> dict[str, Any]:
        return _for_openai(self._repository.get(route.model))

    def _model(self, route: Route) -> dict[str, Any]:
        return _metadata(of_version(self._repository.get(route.model), route.version))

    def _model_ready(self, route: Route) -> dict[str, Any]:
        of_version(self._repository.get(route.model), route.version)
        if not self._health.model_ready(route.model):
            raise ModelNotReady(f"model {route.model!r} is not ready")
        return {"name": route.model, "ready": True}


def _for_openai(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": _STARTED, "owned_by": "modelwright"}


def _metadata(described: ModelMetadata) -> dict[str, Any]:
    return {
        "name": described.name,
        "versions": list(described.versions),
        "platform": described.platform,
        "inputs": [_tensor(each) for each in described.inputs],
        "outputs": [_tensor(each) for each in described.outputs],
        **({"parameters": dict(described.parameters)} if described.parameters else {}),
    }


def _tensor(each: TensorMetadata) -> dict[str, Any]:
    return {"name": each.name, "datatype": each.datatype, "shape": list(each.shape)}
