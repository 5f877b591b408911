"""Environments made once, kept in a folder by what they are made of."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

from modelwright.environments import interpreter, make, tarball
from modelwright.environments.description import Description, Kind
from modelwright.environments.interpreter import Interpreter
from modelwright.errors import EnvironmentUnusable

LOGGER = logging.getLogger("modelwright.environments")
FOLDER: Final = "MODELWRIGHT_ENVIRONMENTS"
# Written last: an environment without it was left half made.
_MARK: Final = "modelwright.json"


def root() -> Path:
    """Give the folder that environments are kept in: MODELWRIGHT_ENVIRONMENTS, else one in the user's cache."""
    named = os.environ.get(FOLDER)
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(cache) if cache else Path.home() / ".cache") / "modelwright" / "environments"


def ready(description: Description) -> Interpreter:
    """Make the environment unless it is there, check it, and give its interpreter; blocks for as long as that takes.

    Raises:
        EnvironmentUnusable: it cannot be had; the message says why and what to do.

    """
    for note in description.notes:
        LOGGER.info("%s: %s", description.source, note)
    if description.kind is Kind.FOLDER:
        assert description.path is not None  # noqa: S101
        return interpreter.check(description.path, description.source)
    folder = root() / description.digest[:32]
    try:
        with _alone(folder, description.source):
            if not (folder / _MARK).is_file():
                _make(description, folder)
    except OSError as error:
        raise EnvironmentUnusable(
            f"{description.source}: the environment cannot be kept in {root()}: {error.strerror or error}; name a "
            f"folder that can be written, with room, in {FOLDER}"
        ) from error
    return interpreter.check(folder, description.source)


@contextlib.contextmanager
def _alone(folder: Path, source: str) -> Iterator[None]:
    """Hold the environment's lock, which ends with its process however that ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOGGER.info("%s: another process makes the environment; waiting for it", source)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(description: Description, folder: Path) -> None:
    begun = perf_counter()
    LOGGER.info("%s: making the environment in %s", description.source, folder)
    shutil.rmtree(folder, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        made = beside / "environment"
        make.make(description, made)
        made.rename(folder)
        if description.kind is Kind.TARBALL:
            tarball.finish(folder, description.source)
        found = interpreter.check(folder, description.source)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    mark = {"source": description.source, "kind": description.kind.value, "python": ".".join(map(str, found.version))}
    (folder / _MARK).write_text(json.dumps(mark), encoding="utf-8")
    LOGGER.info("%s: made in %.1f s, Python %s", description.source, perf_counter() - begun, mark["python"])
