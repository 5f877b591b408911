"""What the buildpack carries of the model server: its wheel, made from this tree, and what that needs beside it."""

import hashlib
import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

from .. import content
from ..command import stream
from .base import HERE

ROOT = HERE.parents[1]
PACKAGE = ROOT / "runtimes" / "modelwright"
EXTRAS = ("server", "tracing")
"""The extras whose packages every image gets; tracing is imported only where its endpoint is set."""
BACKEND = "hatchling==1.27.0"
"""The one that names itself in the wheel: another version would make another digest of the same code."""
EPOCH = "315532801"
IGNORED = ("__pycache__",)


def key() -> str:
    """Everything that the wheel and its requirements are made from. The operator is no part of it."""
    named = json.dumps([_project(), EXTRAS, BACKEND], sort_keys=True)
    return hashlib.sha256((named + content.digest(PACKAGE, ignored=IGNORED)).encode()).hexdigest()


def stage(target: Path, work: Path) -> None:
    """Lay wheel and requirements into `target`, for `buildpack/server.py` to find; `work` is scratch.

    Raises ImageError.
    """
    target.mkdir()
    wanted = [line for extra in EXTRAS for line in _project()["optional-dependencies"][extra]]
    (target / "requirements.txt").write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
    source = work / "source"
    shutil.copytree(PACKAGE, source / "runtimes" / "modelwright", ignore=shutil.ignore_patterns(*IGNORED))
    shutil.copy2(ROOT / "pyproject.toml", source)
    # The repository's own would move a layer of every image whenever a word of it changes.
    (source / "README.md").write_text("The model server of Modelwright.\n", encoding="utf-8")
    (work / "backend.txt").write_text(BACKEND, encoding="utf-8")
    command = [str(ROOT / "scripts" / "uv"), "build", "--wheel", "--python", sys.executable]
    command += ["--build-constraints", str(work / "backend.txt"), "--out-dir", str(work / "wheel"), str(source)]
    stream(command, environment={"SOURCE_DATE_EPOCH": EPOCH}, log=work / "wheel.log")
    for wheel in (work / "wheel").glob("*.whl"):
        shutil.copy2(wheel, target)


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found
