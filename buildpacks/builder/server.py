"""What the buildpack carries of the model server: its wheel, made from this tree, and what that needs beside it."""

import hashlib
import json
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from modelwright.images import content

from ..command import stream
from . import wheels
from .wheels import ROOT

PACKAGE = ROOT / "runtimes" / "modelwright"
EXTRAS = ("server", "tracing")
"""The extras whose packages every image gets; tracing is imported only where its endpoint is set."""
BACKEND = "hatchling==1.27.0"
"""The one that names itself in the wheel: another version would make another digest of the same code."""
YAML = "PyYAML==6.0.3"
"""For conda's files, which the buildpack reads and the build image's Python has no parser for."""
EPOCH = "315532801"
IGNORED = ("__pycache__",)


def key() -> str:
    """Everything that the wheel and its requirements are made from. The operator is no part of it."""
    compiled = [wheels.compiler(), _read()["tool"]["hatch"], (ROOT / "hatch_build.py").read_text(encoding="utf-8")]
    named = json.dumps([_project(), EXTRAS, BACKEND, YAML, compiled], sort_keys=True)
    return hashlib.sha256((named + content.digest(PACKAGE, ignored=IGNORED)).encode()).hexdigest()


def stage(target: Path, work: Path) -> None:
    """Lay wheel and requirements into `target`, for `buildpack/server.py` to find; `work` is scratch.

    Raises ImageError.
    """
    target.mkdir()
    _yaml(target / "library")
    wanted = [line for extra in EXTRAS for line in _project()["optional-dependencies"][extra]]
    (target / "requirements.txt").write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
    source = work / "source"
    shutil.copytree(PACKAGE, source / "runtimes" / "modelwright", ignore=shutil.ignore_patterns(*IGNORED))
    for name in ("pyproject.toml", "hatch_build.py"):
        shutil.copy2(ROOT / name, source)
    # The repository's own would move a layer of every image whenever a word of it changes.
    (source / "README.md").write_text("The model server of Modelwright.\n", encoding="utf-8")
    (work / "backend.txt").write_text(BACKEND, encoding="utf-8")
    environment = {"SOURCE_DATE_EPOCH": EPOCH}
    wheels.build(source, work / "wheel", work / "backend.txt", environment, compiled=False)
    wheels.compile_too(source, work / "wheel", work / "backend.txt", environment)
    for wheel in (work / "wheel").glob("*.whl"):
        shutil.copy2(wheel, target)
        if wheel.name.endswith("-none-any.whl"):
            _unpack(wheel, target / "library")


def _yaml(target: Path) -> None:
    """Install PyYAML as Python alone: whatever interpreter and processor the build image has."""
    command = [str(ROOT / "scripts" / "uv"), "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    stream([*command, "--python", sys.executable, YAML], log=target.with_suffix(".log"))
    target.with_suffix(".log").unlink()
    (target / ".lock").unlink(missing_ok=True)
    for compiled in target.rglob("*.so"):
        compiled.unlink()


def _unpack(wheel: Path, library: Path) -> None:
    """Lay out the package alone: it is imported while building, and not installed there."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(library, [name for name in archive.namelist() if name.startswith("modelwright/")])


def _project() -> dict[str, Any]:
    found: dict[str, Any] = _read()["project"]
    return found


def _read() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
