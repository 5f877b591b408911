"""What the API server refuses, as types.

Every message names the verb and the object, because the reader of a condition or of a log line has not seen
the request.
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request that the API server answered with an error.

    Args:
        message: what the server said, with verb and object in front.
        code: the HTTP status.
        details: the ``details`` of the server's Status object.
    """

    def __init__(self, message: str, *, code: int, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def names_field(self, field: str) -> bool:
        """Say whether the server blames this field, e.g. ``metadata.uid``."""
        return any(cause.get("field") == field for cause in self._causes)

    def has_reason(self, reason: str) -> bool:
        """Say whether this is among the server's reasons, e.g. ``NamespaceTerminating``."""
        return any(cause.get("reason") == reason for cause in self._causes)

    @property
    def _causes(self) -> list[dict[str, Any]]:
        return self.details.get("causes") or []


class Unauthorized(ApiError):
    """401: the credentials are missing, wrong or expired."""


class Forbidden(ApiError):
    """403: a right is missing, or an admission rule (a quota, a policy) refuses the object."""


class NotFound(ApiError):
    """404: the object, or its whole kind, does not exist."""


class Conflict(ApiError):
    """409: the object is not what the request presumed."""


class Gone(ApiError):
    """410: the resource version is older than what the server remembers; list again."""


class Invalid(ApiError):
    """422: the object breaks a rule of its schema."""


class TooManyRequests(ApiError):
    """429: the server sheds load; the queue's backoff spreads the retries."""


_BY_CODE: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


def namespace_is_leaving(error: object) -> bool:
    """Say whether something could not be made because its namespace is being deleted, which is nobody's failure."""
    return isinstance(error, ApiError) and error.has_reason("NamespaceTerminating")


def from_status(code: int, status: object, *, verb: str, what: str) -> ApiError:
    """Return the typed error for a Status object (or whatever text a proxy sent in its place)."""
    details: dict[str, Any] = {}
    if isinstance(status, dict):
        said = str(status.get("message") or status.get("reason") or f"HTTP {code}")
        details = status.get("details") or {}
    else:
        said = str(status)[:300] or f"HTTP {code}"
    return _BY_CODE.get(code, ApiError)(f"{verb} {what}: {said}", code=code, details=details)
