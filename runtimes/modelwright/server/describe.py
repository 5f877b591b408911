"""Answers that do no inference: who serves, which models, how they are."""

from http import HTTPStatus
from importlib import metadata
from typing import Any

from modelwright.errors import ModelNotFound, ModelNotReady
from modelwright.model import Model, ModelMetadata, Repository, TensorMetadata
from modelwright.server.asgi import Headers
from modelwright.server.health import Health
from modelwright.server.replies import JSON, to_json
from modelwright.server.routes import Action, Route

Answer = tuple[int, Headers, bytes]
_OK = int(HTTPStatus.OK)
_UNAVAILABLE = int(HTTPStatus.SERVICE_UNAVAILABLE)
_ALIVE: Answer = (_OK, [JSON], b'{"status":"alive"}')
_LIVE: Answer = (_OK, [JSON], b'{"live":true}')
_READY: Answer = (_OK, [JSON], b'{"ready":true}')
_NOT_READY: Answer = (_UNAVAILABLE, [JSON], b'{"ready":false}')


class Describer:
    """Answers every GET; the shapes are kserve's and the Open Inference Protocol's."""

    def __init__(self, repository: Repository, health: Health) -> None:
        self._repository = repository
        self._health = health
        self._answers = {
            Action.V1_MODELS: self._models,
            Action.V2_MODELS: self._models,
            Action.SERVER: self._server,
            Action.V1_MODEL: self._model_ready,
            Action.V2_MODEL: self._model,
            Action.V2_MODEL_READY: self._model_ready,
        }

    def answer(self, route: Route) -> Answer:
        """Answer one route.

        Raises:
            ModelNotFound, ModelNotReady: as the route's model is.

        """
        if route.action is Action.LIVE:
            return _LIVE
        if route.action is Action.READY:
            return _READY if self._health.ready else _NOT_READY
        if route.action is Action.ROOT:
            return _ALIVE
        return _OK, [JSON], to_json(self._answers[route.action](route))

    def _server(self, _: Route) -> dict[str, Any]:
        return {"name": "modelwright", "version": _version(), "extensions": ["binary_tensor_data"]}

    def _models(self, _: Route) -> dict[str, Any]:
        return {"models": self._repository.names}

    def _model(self, route: Route) -> dict[str, Any]:
        return _metadata(of_version(self._repository.get(route.model), route.version))

    def _model_ready(self, route: Route) -> dict[str, Any]:
        of_version(self._repository.get(route.model), route.version)
        if not self._health.model_ready(route.model):
            raise ModelNotReady(f"model {route.model!r} is not ready")
        return {"name": route.model, "ready": True}


def of_version(model: Model, version: str | None) -> ModelMetadata:
    """Give the model's metadata, if it has the version that the path names.

    Raises:
        ModelNotFound: it has not.

    """
    described = model.metadata()
    if version is not None and version not in described.versions:
        known = ", ".join(described.versions) or "none"
        raise ModelNotFound(f"model {model.name!r} has no version {version!r}; its versions: {known}")
    return described


def _metadata(described: ModelMetadata) -> dict[str, Any]:
    return {
        "name": described.name,
        "versions": list(described.versions),
        "platform": described.platform,
        "inputs": [_tensor(each) for each in described.inputs],
        "outputs": [_tensor(each) for each in described.outputs],
    }


def _tensor(each: TensorMetadata) -> dict[str, Any]:
    return {"name": each.name, "datatype": each.datatype, "shape": list(each.shape)}


def _version() -> str:
    try:
        return metadata.version("modelwright")
    except metadata.PackageNotFoundError:
        return "unknown"
