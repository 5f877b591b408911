"""What Ray raises, as `scale.replicas` has it."""

from __future__ import annotations

from ray.exceptions import RayError, RayTaskError

from modelwright.scale.replicas import ReplicaDied, ReplicaFailed


def died(error: BaseException) -> bool:
    """Tell a replica that is no more from a call that raised."""
    return isinstance(error, RayError) and not isinstance(error, RayTaskError)


def meant(error: BaseException) -> BaseException:
    """Give what the author's code raised, with its traceback as a note; ReplicaDied where the replica is no more."""
    if died(error):
        return ReplicaDied(f"a replica ended in the midst of a call: {_first_line(error)}")
    if not isinstance(error, RayTaskError):
        return error
    cause = error.cause
    if not isinstance(cause, Exception) or isinstance(cause, RayError):
        return ReplicaFailed(str(error))
    # Its text is the traceback there.
    cause.add_note(f"raised in a replica:\n{error}")
    return cause


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
