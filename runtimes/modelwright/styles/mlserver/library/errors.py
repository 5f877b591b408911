"""Errors that an author may raise to tell the caller something; `status_code` is the HTTP status."""

from __future__ import annotations

from http import HTTPStatus


class MLServerError(Exception):
    """What the caller is told; 400 unless another status is given."""

    def __init__(self, msg: str, status_code: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(msg)
        self.status_code = int(status_code)


class InvalidModelURI(MLServerError):
    """`parameters.uri` names nothing that is there (422)."""

    def __init__(self, name: str, model_uri: str | None = None) -> None:
        where = f" ({model_uri})" if model_uri else ""
        super().__init__(f"Invalid URI specified for model {name}{where}", HTTPStatus.UNPROCESSABLE_ENTITY)


class ModelNotFound(MLServerError):
    """No model of that name and version (404)."""

    def __init__(self, name: str, version: str | None = None) -> None:
        which = f" with version {version}" if version is not None else ""
        super().__init__(f"Model {name}{which} not found", HTTPStatus.NOT_FOUND)


class ModelNotReady(MLServerError):
    """The model has not loaded (400)."""

    def __init__(self, name: str, version: str | None = None) -> None:
        which = f" with version {version}" if version is not None else ""
        super().__init__(f"Model {name}{which} is not ready yet.")


class InferenceError(MLServerError):
    """The request cannot be answered (400)."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)


class ModelParametersMissing(MLServerError):
    """The model needs `parameters` in its settings (400)."""

    def __init__(self, model_name: str) -> None:
        super().__init__(f"Parameters missing for model {model_name}")
