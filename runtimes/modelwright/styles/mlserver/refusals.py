"""What the author's code raised, as the answer that MLServer gives to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from modelwright import errors
from modelwright.styles.mlserver.library.types.base import advise

_BY_STATUS: Final[Mapping[int, type[errors.InferenceError]]] = {
    kind.status: kind
    for kind in (
        errors.InvalidInput,
        errors.ModelNotFound,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.Unprocessable,
        errors.Overloaded,
        errors.NotImplementedByModel,
        errors.ModelNotReady,
    )
}


def refusal(raised: Exception) -> errors.InferenceError | None:
    """Return the answer to an exception that is meant for the caller, None for one that is the author's mistake.

    Meant are MLServer's errors, genuine or ours, and FastAPI's HTTPException: told by their attributes.
    """
    if isinstance(raised, errors.InferenceError):
        return raised
    if isinstance(raised, NotImplementedError):
        return errors.NotImplementedByModel(str(raised) or "the model does not offer this")
    status = getattr(raised, "status_code", None)
    if not isinstance(status, int):
        return None
    return with_status(status, str(getattr(raised, "detail", raised)))


def with_status(status: int, message: str) -> errors.InferenceError:
    """Return an error of any HTTP status."""
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = type(f"Status{status}", (errors.InferenceError,), {"status": status})
    return kind(message)


def raise_for_the_caller(raised: Exception) -> NoReturn:
    """Raise what an exception of the author's is to the caller, or the exception itself."""
    advise(raised)
    meant = refusal(raised)
    if meant is None or meant is raised:
        raise raised
    raise meant from raised
