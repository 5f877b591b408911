"""What the author's code raised, as the answer that KServe gives to it."""

from __future__ import annotations

from typing import NoReturn

from modelwright import errors
from modelwright.styles.kserve.twins import errors as kserve_errors

_STATUSES: tuple[tuple[type[Exception], type[errors.InferenceError]], ...] = (
    (kserve_errors.InvalidInput, errors.InvalidInput),
    (kserve_errors.ModelNotFound, errors.ModelNotFound),
    (kserve_errors.ModelNotReady, errors.ModelNotReady),
    (kserve_errors.ServerNotReady, errors.ModelNotReady),
    (kserve_errors.ServerNotLive, errors.ModelNotReady),
    (kserve_errors.UnsupportedProtocol, errors.NotImplementedByModel),
    (NotImplementedError, errors.NotImplementedByModel),
    (kserve_errors.InferenceError, errors.InferenceError),
)
_BY_STATUS: dict[int, type[errors.InferenceError]] = {
    kind.status: kind
    for kind in (
        errors.InvalidInput,
        errors.ModelNotFound,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.Overloaded,
        errors.NotImplementedByModel,
        errors.ModelNotReady,
    )
}


def refusal(raised: Exception) -> errors.InferenceError | None:
    """Return the answer to an exception that is meant for the caller, None for one that is the author's mistake."""
    if isinstance(raised, errors.InferenceError):
        return raised
    for kind, answer in _STATUSES:
        if isinstance(raised, kind):
            return answer(str(raised) or "the model does not offer this")
    # FastAPI's HTTPException, which kserve's server lets a model raise, told by its attributes.
    status, detail = getattr(raised, "status_code", None), getattr(raised, "detail", None)
    if isinstance(status, int) and detail is not None:
        return with_status(status, str(detail))
    return None


def raise_for_the_caller(raised: Exception) -> NoReturn:
    """Raise what an exception of the author's is to the caller, or the exception itself."""
    meant = refusal(raised)
    if meant is None or meant is raised:
        raise raised
    raise meant from raised


def with_status(status: int, message: str) -> errors.InferenceError:
    """Return an error of any HTTP status."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known(message)
    kind: type[errors.InferenceError] = type(f"Status{status}", (errors.InferenceError,), {"status": status})
    return kind(message)
