"""Loading the models, and saying why it failed: to the log, to kubectl, and to whoever reads the exit code."""

import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import NoReturn

from modelwright.errors import AuthorError, EnvironmentUnusable
from modelwright.model import Model
from modelwright.server.rest import own_routes

# Kubernetes shows its content as the container's termination message, 4096 bytes at most.
TERMINATION_LOG = Path("/dev/termination-log")
_MESSAGE_BYTES = 4096
_PACKAGE = f"{Path(__file__).parents[1]}/"


class LoadFailed(Exception):
    """A model did not load; `__cause__` is what its author's code raised, if it raised."""


async def load(models: Iterable[Model], note: Callable[[str, float], None]) -> None:
    """Load every model, one after the other; `note` is told each one's name and how many seconds it took.

    Raises:
        LoadFailed: a model's `load` raised, no model is ready after it, or one brings a route that is taken.

    """
    loaded = list(models)
    if not loaded:
        raise LoadFailed("no model was given to serve")
    for model in loaded:
        begun = perf_counter()
        try:
            await model.load()
        except Exception as error:
            raise LoadFailed(f"model {model.name!r} did not load: {type(error).__name__}: {error}") from error
        note(model.name, perf_counter() - begun)
    if not any(model.ready for model in loaded):
        names = ", ".join(repr(model.name) for model in loaded)
        raise LoadFailed(f"not ready after load(): {names}; load() must set self.ready = True")
    try:
        own_routes.check(loaded)
    except own_routes.RouteTaken as error:
        raise LoadFailed(str(error)) from None


def give_up(reason: Exception, termination_log: Path = TERMINATION_LOG) -> NoReturn:
    """Print the author's own traceback and the reason, leave the reason for Kubernetes, and exit with 1."""
    told = f"{_authors_traceback(reason.__cause__)}modelwright: {reason}\n"
    sys.stderr.write(told)
    sys.stderr.flush()
    # Never created: outside Kubernetes nobody would read it.
    if termination_log.exists():
        try:
            # The end says why, here as in a log; it is what an InferenceService's status shows first.
            termination_log.write_bytes(told.encode()[-_MESSAGE_BYTES:])
        except OSError as error:
            sys.stderr.write(f"modelwright: no termination message: {error}\n")
    raise SystemExit(1)


def _authors_traceback(error: BaseException | None) -> str:
    """Format what was raised from the author's first line on, without the server's frames that led there."""
    if error is None or isinstance(error, EnvironmentUnusable):
        return ""
    if isinstance(error, AuthorError):
        return error.traceback
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame or error.__traceback__))
