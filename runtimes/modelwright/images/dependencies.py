"""What a folder's packages are installed from, as instructions of a Dockerfile; the buildpack reads the same files."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.environments import Description, conda
from modelwright.errors import EnvironmentUnusable
from modelwright.images.errors import ImageError
from modelwright.styles import weight_files

_CONDA: Final = ("environment.yaml", "environment.yml", "conda.yaml", "conda.yml")
_INCLUDE: Final = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
_LOCAL: Final = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\s|\[|$)|file:)|@\s*file:")
_VERSION: Final = re.compile(r"(?:python-)?(\d+\.\d+)(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`copied` are files that installing reads, or `.` for all of them; `commands` install beside `{server}`.

    `python` is `major.minor`, empty where no file asks for one; `project` says that the folder is itself a package.
    """

    source: str
    copied: tuple[str, ...]
    commands: tuple[str, ...]
    python: str = ""
    project: bool = False


def read(folder: Path) -> Dependencies:
    """Choose uv.lock, else requirements.txt and conda's file, else pyproject.toml.

    Raises:
        ImageError: there is none of them, one cannot be read, or two ask for different Pythons.

    """
    project = _project(folder)
    installable = "build-system" in project
    if (folder / "uv.lock").is_file():
        if not project:
            raise ImageError(f"{folder / 'uv.lock'} has no pyproject.toml beside it: uv reads both, so add it")
        return Dependencies("uv.lock", ("pyproject.toml", "uv.lock"), _LOCKED, _python(folder, ""), installable)
    words, copied, source, wanted = [], [], [], ""
    if (folder / "requirements.txt").is_file():
        copied = list(_requirements(folder))
        words += ["--requirement", "requirements.txt"]
        source.append("requirements.txt")
    if path := _conda_file(folder):
        described = _described(path)
        words += [shlex.quote(each) for each in described.requirements]
        source.append(path.name)
        wanted = described.python
    if not source and "project" in project:
        copied, words, source = ["pyproject.toml"], ["--requirement", "pyproject.toml"], ["pyproject.toml"]
    if not source:
        raise ImageError(
            f"{folder} does not say which packages its model needs: write a requirements.txt (an empty one if it needs "
            f"none), or one of uv.lock, pyproject.toml, {', '.join(_CONDA)}"
        )
    command = " ".join(["uv pip install", *words, "{server}"])
    return Dependencies(" and ".join(source), tuple(copied), (command,), _python(folder, wanted), installable)


_LOCKED: Final = (
    "UV_PROJECT_ENVIRONMENT=$VIRTUAL_ENV uv sync --locked --no-default-groups --no-install-project",
    "uv export --quiet --locked --no-default-groups --no-emit-project --no-emit-local --no-hashes"
    " --output-file /tmp/pins.txt",
    # What the lockfile lacks of the server's packages is added, and nothing that it has is changed.
    "uv pip install --constraint /tmp/pins.txt {server}",
)


def _project(folder: Path) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} is no TOML: {error}; correct that line") from None


def _requirements(folder: Path) -> Iterator[str]:
    """Yield requirements.txt and what it includes; `.` where a line installs from the folder itself."""
    queue, seen = [folder / "requirements.txt"], set()
    while queue:
        file = queue.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ImageError(
                f"{file}, which requirements.txt includes, is not there or no text: add it, or delete the line"
            ) from None
        if not file.resolve().is_relative_to(folder.resolve()):
            raise ImageError(f"requirements.txt includes {file}, outside {folder}: copy it into the folder")
        if any(_LOCAL.search(line) for line in lines):
            yield "."
        yield file.relative_to(folder).as_posix()
        included = [match[1] for line in lines if (match := _INCLUDE.match(line)) and "://" not in match[1]]
        queue += [Path(os.path.normpath(file.parent / each)) for each in included]


def _conda_file(folder: Path) -> Path | None:
    """Find the conda file that is the image's, unless it is one model's own environment."""
    own = set()
    for settings in weight_files.settings(folder):
        parameters = weight_files.document(settings).get("parameters")
        named = parameters.get("environment_path") if isinstance(parameters, dict) else None
        own.update({(settings.parent / named).resolve()} if isinstance(named, str) else set())
    there = (folder / name for name in _CONDA)
    return next((path for path in there if path.is_file() and path.resolve() not in own), None)


def _described(path: Path) -> Description:
    try:
        return conda.read(path)
    except EnvironmentUnusable as error:
        raise ImageError(str(error)) from None


def _python(folder: Path, of_conda: str) -> str:
    """Give the one version that runtime.txt, .python-version and the conda file ask for."""
    asked: dict[str, str] = {}
    for name in ("runtime.txt", ".python-version"):
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8-sig").strip()
            match = _VERSION.fullmatch(text)
            if match is None:
                raise ImageError(f"{path} reads {text!r} and names no Python: write one line such as python-3.11")
            asked[name] = match[1]
    if match := _VERSION.fullmatch(of_conda):
        asked["the conda file"] = match[1]
    if len(set(asked.values())) > 1:
        said = ", ".join(f"{name} asks for {version}" for name, version in asked.items())
        raise ImageError(f"{folder} asks for more than one Python ({said}): change or delete one of them")
    return next(iter(asked.values()), "")
