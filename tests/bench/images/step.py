"""What both sides measure, and how: one example, one line changed, seconds on the wall."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelwright.images.reference import parse
from modelwright.images.registry import registry

from buildpacks import engine
from buildpacks.builder.base import RELEASE

# The numpy example that both MLServer and we serve without a word changed.
EXAMPLE = Path(__file__).parents[3] / "runtimes" / "examples" / "04-question-answering"


@dataclass(frozen=True)
class Figures:
    """Seconds of the first build, of each change of code, and of a build with no change; compressed bytes.

    `engine` is the part of each change of code that is not the start of the command line's own Python.
    """

    first: float
    code: list[float]
    nothing: float
    size: int
    over_base: int
    digests: list[str]
    engine: list[float]


def copy(folder: Path) -> Path:
    """Copy the example to where it can be changed."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def change(folder: Path, number: int) -> None:
    """Change a line of code, and nothing that says what to install."""
    with (folder / "models.py").open("a", encoding="utf-8") as code:
        code.write(f"\n# change {number}\n")


def timed(what: str, step: Callable[[], object]) -> float:
    """Do one step and give its seconds; said on standard error."""
    progress(f"{what} ...")
    began = time.monotonic()
    step()
    seconds = time.monotonic() - began
    progress(f"{what}: {seconds:.1f} s")
    return seconds


def progress(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


def sizes(image: str) -> tuple[int, int]:
    """Give an image's compressed bytes, and those that our base image does not have."""
    base = {layer["digest"] for layer in _layers(f"{engine.repository('run')}:{RELEASE}")}
    layers = _layers(image)
    return (
        sum(int(layer["size"]) for layer in layers),
        sum(int(layer["size"]) for layer in layers if layer["digest"] not in base),
    )


def _layers(image: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = registry().image(parse(image))["layers"]
    return found
