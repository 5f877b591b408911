"""What a refusal is called over gRPC: the HTTP status of an InferenceError to a gRPC code."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from modelwright.errors import InferenceError
from modelwright.server.grpc.wire.status import StatusCode

# kserve's servers and clients use these codes too; its client retries on UNAVAILABLE.
_CODES: Final[Mapping[int, StatusCode]] = {
    HTTPStatus.BAD_REQUEST: StatusCode.INVALID_ARGUMENT,
    HTTPStatus.NOT_FOUND: StatusCode.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: StatusCode.DEADLINE_EXCEEDED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNPROCESSABLE_ENTITY: StatusCode.INVALID_ARGUMENT,
    HTTPStatus.TOO_MANY_REQUESTS: StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.NOT_IMPLEMENTED: StatusCode.UNIMPLEMENTED,
    HTTPStatus.SERVICE_UNAVAILABLE: StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: StatusCode.DEADLINE_EXCEEDED,
}


def code_of(error: InferenceError) -> StatusCode:
    """Return a refusal's gRPC code: for a 4xx without one of its own INVALID_ARGUMENT, for anything else INTERNAL."""
    known = _CODES.get(error.status)
    if known is not None:
        return known
    return StatusCode.INVALID_ARGUMENT if 400 <= error.status < 500 else StatusCode.INTERNAL
