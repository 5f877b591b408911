"""Weights brought to where `get_local_dir_for_weights_name` says, by the storage initializer's own program."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from modelwright.styles.nemo_curator import place
from modelwright.weights import manifest, partial
from modelwright.weights.errors import redact
from modelwright.weights.selection import Selection
from modelwright.weights.verify import relative

# The folder or bucket prefix below which weights are by their names, as Curator's own model_weights_prefix.
SOURCE: Final = "MODELWRIGHT_WEIGHTS_URI"
# The interpreter that has the clients, where the model's own environment has another.
PYTHON: Final = "MODELWRIGHT_WEIGHTS_PYTHON"
_PACKAGES: Final = Path(__file__).parents[3]
_HUB: Final = "hf://"
_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
_REASON: Final = " ERROR "


class FetchFailed(Exception):
    """Weights are not there and cannot be fetched; the message says from where, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One set of weights: its name, the files wanted of it (names or patterns; empty is all), a revision on the hub."""

    name: str
    files: tuple[str, ...] = ()
    revision: str | None = None


def ensure(
    weights: Weights,
    *,
    alone: bool,
    environ: Mapping[str, str] = os.environ,
    mount: Path = place.MOUNT,
    otherwise: Callable[[], object] | None = None,
) -> None:
    """Have the weights below `place.root()`: as they are there, linked from `mount`, or fetched.

    `mount` has them in a folder of their name, or as its own files where they are `alone`. `otherwise` is the class's
    own way to fetch them, taken where no source is configured.

    Raises:
        FetchFailed: they are nowhere, or their source refuses.

    """
    target = place.folder(weights.name)
    if place.is_path(weights.name):
        _require(target, weights)
        return
    _check_name(weights.name)
    uri = _uri(weights, environ)
    with _locked(target):
        if _kept(target, weights, uri) or _linked(target, weights, mount, alone=alone):
            return
        if otherwise is not None and not environ.get(SOURCE):
            otherwise()
            _require(target, weights)
            return
        if uri is None:
            raise FetchFailed(
                f"the weights {weights.name!r} are neither in {target} nor below {mount}, and the name is no Hugging "
                f"Face owner/model: put them there, or set {SOURCE} to what holds a folder {weights.name!r}, such as "
                "s3://bucket/weights/"
            )
        download(uri, target, only=weights.files)


def download(uri: str, target: Path, only: Sequence[str] = (), without: Sequence[str] = ()) -> None:
    """Fetch into `target` in a process of its own, whose log is shown as it comes.

    It has the client libraries' memory, threads and settings to itself: what setup() finds is a fresh process.

    Raises:
        FetchFailed: with the program's own reason.

    """
    words = [os.environ.get(PYTHON) or sys.executable, "-P", "-m", "modelwright.weights", uri, str(target), "--packed"]
    words += [f"--only={each}" for each in only] + [f"--without={each}" for each in without]
    said = ""
    # Added behind what is there: this package may be importable here by no search path.
    search = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_PACKAGES))))
    environ = {**os.environ, "PYTHONPATH": search}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environ) as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            said = line
    if process.returncode:
        reason = said.rpartition(_REASON)[2].strip() or f"exit status {process.returncode}"
        # The clients are an extra: an image whose weights are mounted does without them.
        remedy = ". Install modelwright[storage]" if "No module named" in reason else ""
        raise FetchFailed(f"the weights for {target} could not be fetched: {redact(reason)}{remedy}")


def _uri(weights: Weights, environ: Mapping[str, str]) -> str | None:
    prefix = environ.get(SOURCE) or _HUB
    if prefix.rstrip("/") != _HUB.rstrip("/"):
        return f"{prefix.rstrip('/')}/{weights.name}/"
    if not _HUB_NAME.fullmatch(weights.name):
        return None
    return f"{_HUB}{weights.name}:{weights.revision}" if weights.revision else f"{_HUB}{weights.name}"


def _check_name(name: str) -> None:
    try:
        relative(name)
    except ValueError as reason:
        raise FetchFailed(f"the weights' name {name!r} {reason}: it must be a folder below {place.ROOT}") from None


def _kept(target: Path, weights: Weights, uri: str | None) -> bool:
    """Tell whether the target needs nothing: fetched whole from this very source, or put there by somebody else."""
    if target.is_symlink() or not (target / manifest.NAME).is_file():
        return _has(target, weights)
    return uri is not None and manifest.holds(target, uri, Selection(weights.files))


def _linked(target: Path, weights: Weights, mount: Path, *, alone: bool) -> bool:
    there = next((each for each in (mount / weights.name, *([mount] if alone else [])) if _has(each, weights)), None)
    if there is None:
        return False
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        return False
    target.symlink_to(there, target_is_directory=True)
    return True


def _has(folder: Path, weights: Weights) -> bool:
    """Tell whether a folder has the files, all of them; an interrupted fetch's has not."""
    if (folder / partial.NAME).exists():
        return False
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    own = [name for name in names if name != manifest.NAME]
    return bool(own) and all(any(fnmatchcase(name, each) for name in own) for each in weights.files)


def _require(target: Path, weights: Weights) -> None:
    if not _has(target, weights):
        wanted = ", ".join(weights.files) or "any file"
        raise FetchFailed(f"{target}, where the weights {weights.name!r} are to be, has not {wanted}")


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Let one process at a time look after a folder; a root that cannot be written has what it has."""
    root = place.root()
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o755)
        if root.stat().st_uid != os.getuid() and root == place.last_resort():
            raise FetchFailed(f"{root} is another user's: set {place.ROOT} to a folder of this user's")
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".{target.name}.lock").open("w")
    except OSError as error:
        if target.is_dir():
            yield
            return
        raise FetchFailed(
            f"{root} cannot hold weights: {error.strerror}; set {place.ROOT} to a folder that this user may write, "
            "or to one that has them"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
