"""kserve.errors: what authors raise to answer with a status of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelwright.styles.kserve.foreign import Foreign


class ModelMissingError(Exception):
    """The model's files are not where they should be."""

    __module__ = "kserve.errors"

    def __init__(self, path: str) -> None:
        self.path = path

    def __str__(self) -> str:
        return self.path


class InferenceError(RuntimeError):
    """The inference itself failed (500), with a reason that the caller may read."""

    __module__ = "kserve.errors"

    def __init__(self, reason: str | None, status: str | None = None, debug_details: Foreign = None) -> None:
        self.reason = reason
        self.status = status
        self.debug_details = debug_details

    def __str__(self) -> str:
        message = super().__str__() if self.reason is None else self.reason
        return message if self.status is None else f"[{self.status}] {message}"


class InvalidInput(ValueError):
    """The caller's input is wrong (400)."""

    __module__ = "kserve.errors"

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class ModelNotFound(Exception):
    """There is no such model (404)."""

    __module__ = "kserve.errors"

    def __init__(self, model_name: str | None = None) -> None:
        self.reason = f"Model with name {model_name} does not exist."

    def __str__(self) -> str:
        return self.reason


class WorkersShouldBeLessThanMaxWorkersError(Exception):
    """More workers were asked for than there may be."""

    __module__ = "kserve.errors"

    def __init__(self, max_workers: int | None = None) -> None:
        self.reason = f"Workers cannot be greater than {max_workers}"

    def __str__(self) -> str:
        return self.reason


class UnsupportedProtocol(Exception):
    """The protocol is not one of KServe's (501)."""

    __module__ = "kserve.errors"

    def __init__(self, protocol_version: str | None = None) -> None:
        self.reason = f"Unsupported protocol {protocol_version}."

    def __str__(self) -> str:
        return self.reason


class ModelNotReady(RuntimeError):
    """The model is there and not ready (503)."""

    __module__ = "kserve.errors"

    def __init__(self, model_name: str, detail: str | None = None) -> None:
        self.model_name = model_name
        self.error_msg = _joined(f"Model with name {model_name} is not ready.", detail)

    def __str__(self) -> str:
        return self.error_msg


class ServerNotReady(RuntimeError):
    """The server is not ready (503)."""

    __module__ = "kserve.errors"

    def __init__(self, detail: str | None = None) -> None:
        self.error_msg = _joined("Server is not ready.", detail)

    def __str__(self) -> str:
        return self.error_msg


class ServerNotLive(RuntimeError):
    """The server is not live (503)."""

    __module__ = "kserve.errors"

    def __init__(self, detail: str | None = None) -> None:
        self.error_msg = _joined("Server is not live.", detail)

    def __str__(self) -> str:
        return self.error_msg


class NoModelReady(RuntimeError):
    """The server was started and none of its models is ready."""

    __module__ = "kserve.errors"

    def __init__(self, models: Sequence[Any], detail: str | None = None) -> None:
        self.models = models
        self.detail = detail

    def __str__(self) -> str:
        names = [model.name for model in self.models]
        if len(names) == 1:
            message = f"Model with name {names[0]} is not ready."
        else:
            message = f"Models with names {','.join(names)} are not ready."
        self.error_msg = _joined(message, self.detail)
        return self.error_msg


def _joined(message: str, detail: str | None) -> str:
    return f"{message} {detail}" if detail else message
