"""What a caller is told when a request cannot be answered: an HTTP status and a sentence, never a traceback."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class InferenceError(Exception):
    """A refusal that a caller may read.

    ``status`` is the HTTP status; the gRPC server maps it to a gRPC code. ``message`` names what was
    wrong and what was expected, and holds neither a path of this machine nor a traceback.
    """

    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(InferenceError):
    """The request is malformed, or does not fit what the model declares (400)."""

    status = HTTPStatus.BAD_REQUEST


class ModelNotFound(InferenceError):
    """No model of that name, or not in that version (404)."""

    status = HTTPStatus.NOT_FOUND


class TooLarge(InferenceError):
    """The body is larger than the server accepts (413)."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(InferenceError):
    """The content type or the content encoding is not one that the server reads (415)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class DeadlineExceeded(InferenceError):
    """The caller's own deadline passed before the model had answered (504)."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class WrongMethod(InferenceError):
    """The path is there, but not for this HTTP method (405)."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class Unprocessable(InferenceError):
    """The body is well formed, but fields that the model needs are missing or of another type (422)."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Overloaded(InferenceError):
    """The queue is full: the caller should come back after ``retry_after`` seconds (429)."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotImplementedByModel(InferenceError):
    """The model does not offer the method that was asked for (501)."""

    status = HTTPStatus.NOT_IMPLEMENTED


class ModelNotReady(InferenceError):
    """The model has not finished loading, or the server is draining (503)."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class AuthorError(Exception):
    """What a model's author's code raised in a process of its own; `traceback` is the one that was printed there."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback
        self.add_note(f"In the model's own environment:\n{traceback}")


class EnvironmentUnusable(Exception):
    """A model's environment that cannot be read, made or run here; the message names file, field and remedy."""
