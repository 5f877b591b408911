"""Loading the models, and saying why it failed: to the log, to kubectl, and to whoever reads the exit code."""

import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from modelwright.model import Model

# Kubernetes shows its content as the container's termination message, 4096 bytes at most.
TERMINATION_LOG = Path("/dev/termination-log")
_MESSAGE_BYTES = 4096


class LoadFailed(Exception):
    """A model did not load; `__cause__` is what its author's code raised, if it raised."""


async def load(models: Iterable[Model]) -> None:
    """Load every model, one after the other.

    Raises:
        LoadFailed: a model's `load` raised, or no model is ready after it.

    """
    loaded = list(models)
    if not loaded:
        raise LoadFailed("no model was given to serve")
    for model in loaded:
        try:
            await model.load()
        except Exception as error:
            raise LoadFailed(f"model {model.name!r} did not load: {type(error).__name__}: {error}") from error
    if not any(model.ready for model in loaded):
        names = ", ".join(repr(model.name) for model in loaded)
        raise LoadFailed(f"not ready after load(): {names}; load() must set self.ready = True")


def give_up(reason: Exception, termination_log: Path = TERMINATION_LOG) -> NoReturn:
    """Print the author's own traceback and the reason, leave the reason for Kubernetes, and exit with 1."""
    details = ""
    if reason.__cause__ is not None:
        details = "".join(traceback.format_exception(reason.__cause__))
    sys.stderr.write(f"{details}modelwright: {reason}\n")
    sys.stderr.flush()
    # Never created: outside Kubernetes nobody would read it.
    if termination_log.exists():
        message = f"{reason}\n{details}".encode()[:_MESSAGE_BYTES]
        try:
            termination_log.write_bytes(message)
        except OSError as error:
            sys.stderr.write(f"modelwright: no termination message: {error}\n")
    raise SystemExit(1)
