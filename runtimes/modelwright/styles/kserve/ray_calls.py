"""Calls of a deployment's replicas: made once more where one dies, their failures told as the server tells failures."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, ReplicaUnavailableError

from modelwright.errors import ModelNotReady, Overloaded
from modelwright.server import log
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.refusals import raise_for_the_caller

# What a call may kill: its first replica, and one more, which shows that it was the call.
_TRIES: Final = 2
_GONE: Final = (RayActorError, ReplicaUnavailableError)


async def whole(model: str, call: Callable[[], Foreign]) -> Foreign:
    """Make a call, and another where its replica dies; give what it answers.

    Raises:
        ModelNotReady: both died, or there is none.
        Overloaded: as many calls wait as the deployment's max_queued_requests allows.
        Exception: what the author's code raised.

    """
    for _ in range(_TRIES):
        try:
            with _told(model):
                return await _awaited(call())
        except _GONE as error:
            _say_died(model, error)
    raise _died(model)


async def pieces(model: str, call: Callable[[], Foreign]) -> AsyncGenerator[Any, None]:
    """Make a call that yields, and another where its replica dies before the first piece; raises as `whole` does."""
    for _ in range(_TRIES):
        begun = False
        try:
            with _told(model):
                async with aclosing(_closing(call())) as source:
                    async for piece in source:
                        begun = True
                        yield piece
                return
        except _GONE as error:
            _say_died(model, error)
            if begun:
                raise ModelNotReady(f"the replica of model {model!r} died in the middle of its answer") from error
    raise _died(model)


async def _awaited(called: Foreign) -> Foreign:
    try:
        return await called if inspect.isawaitable(called) else called
    except asyncio.CancelledError:
        # Nobody waits any more; the replica need not begin.
        called.cancel()
        raise


async def _closing(called: Foreign) -> AsyncGenerator[Any, None]:
    try:
        async for piece in called:
            yield piece
    finally:
        # Nothing where all of it has come.
        called.cancel()


@contextmanager
def _told(model: str) -> Iterator[None]:
    try:
        yield
    except BackPressureError as error:
        raise Overloaded(f"the queue of model {model!r} on Ray is full; try again later") from error
    except DeploymentUnavailableError as error:
        raise ModelNotReady(f"model {model!r} has no deployment on Ray any more") from error
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, Exception) and not isinstance(cause, RayError):
            _raise_for_the_caller(cause, error)
        raise


def _raise_for_the_caller(cause: Exception, error: Exception) -> None:
    """Raise what an author's exception is to the caller; where it is a mistake, Ray's, which has its traceback."""
    try:
        raise_for_the_caller(cause)
    except Exception as meant:
        if meant is not cause:
            raise meant from error


def _say_died(model: str, error: Exception) -> None:
    log.LOGGER.warning("a replica of model %r died while it answered: %s", model, first_line(error))


def _died(model: str) -> ModelNotReady:
    return ModelNotReady(f"{_TRIES} replicas of model {model!r} died while they answered this request")


def first_line(error: Exception) -> str:
    """Give the first line of an error's text, which with Ray's has many."""
    return next(iter(str(error).splitlines()), type(error).__name__)
