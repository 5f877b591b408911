"""Where the dependencies are written down, and the hash by which a change of them is noticed."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import carried, versions
from .context import Context
from .errors import conda_unusable, included_file_missing, lockfile_alone, no_dependencies_file
from .project import Project

LOCKFILE = "uv.lock"
REQUIREMENTS = "requirements.txt"
PROJECT = "pyproject.toml"
CONDA = ("environment.yaml", "environment.yml", "conda.yaml", "conda.yml")

_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\s|\[|$)|file:)|@\s*file:")


@dataclass(frozen=True)
class Source:
    """What dependencies are installed from. `name` is how the log and errors call it."""

    name: str
    digest: str
    local: bool = False
    """Whether it names code of the folder itself: then no hash of this file alone can tell that nothing changed."""
    extras: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Files that pip could read; none for a lockfile."""
    lines: tuple[str, ...] = ()
    """Requirements that stand in no such file: a conda file's."""
    python: versions.Request | None = None
    """The Python that a conda file asks for."""
    notes: tuple[str, ...] = ()
    """What its author should know of how it is read."""

    @property
    def locked(self) -> bool:
        """Whether it says every package and version, so that nothing is resolved."""
        return self.name == LOCKFILE


def find(context: Context, project: Project) -> Source:
    """Choose what to install from: the lockfile, which says most; else requirements and conda files; else the project.

    Raises where there is none, or one cannot be read.
    """
    listed = context.environment.get("BP_UV_EXTRAS", "").replace(",", " ").split()
    extras = tuple(sorted(set(listed)))
    if context.has(LOCKFILE) and context.has(PROJECT):
        # Not of pyproject.toml: uv checks it against the lockfile, and its other tables may change freely.
        return Source(LOCKFILE, _digest([context.app / LOCKFILE]), extras=extras)
    requirements = _requirements(context)
    conda = _conda(context)
    if requirements and conda:
        return Source(
            f"{requirements.name} and {conda.name}",
            hashlib.sha256(f"{requirements.digest} {conda.digest}".encode()).hexdigest(),
            requirements.local, (), requirements.files, conda.lines, conda.python, conda.notes,
        )  # fmt: skip
    if found := requirements or conda:
        return found
    if project.described:
        digest = hashlib.sha256(json.dumps([project.dependencies, extras], sort_keys=True).encode()).hexdigest()
        note = f"{PROJECT} without {LOCKFILE}: a later build may take newer releases; `uv lock` fixes them"
        return Source(PROJECT, digest, extras=extras, files=(PROJECT,), notes=(note,))
    if context.has(LOCKFILE):
        raise lockfile_alone()
    raise no_dependencies_file()


def _requirements(context: Context) -> Source | None:
    if not context.has(REQUIREMENTS):
        return None
    files = _with_includes(context.app / REQUIREMENTS, context.app)
    local = any(_LOCAL.search(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return Source(REQUIREMENTS, _digest(files), local, files=(REQUIREMENTS,))


def _conda(context: Context) -> Source | None:
    """Read the conda file that is the image's, unless it is one model's own environment."""
    there = [name for name in CONDA if context.has(name)]
    if not there:
        return None
    carried.enter(context)
    own = set(_environments_of_models(context))
    there = [name for name in there if (context.app / name).resolve() not in own]
    if not there:
        return None
    from modelwright.environments import conda  # noqa: PLC0415 - importable from here on
    from modelwright.errors import EnvironmentUnusable  # noqa: PLC0415

    name = there[0]
    try:
        found = conda.read(context.app / name)
    except EnvironmentUnusable as error:
        raise conda_unusable(str(error).replace(f"{context.app}/", "")) from None
    python = versions.from_conda(name, found.python) if found.python else None
    notes = tuple(f"{name}: {note}" for note in found.notes)
    return Source(name, _digest([context.app / name]), lines=found.requirements, python=python, notes=notes)


def _environments_of_models(context: Context) -> Iterator[Path]:
    from modelwright.styles import weight_files  # noqa: PLC0415 - importable only from the wheel

    for path in weight_files.settings(context.app):
        parameters = weight_files.document(path).get("parameters")
        named = parameters.get("environment_path") if isinstance(parameters, dict) else None
        if isinstance(named, str):
            yield (path.parent / named).resolve()


def _with_includes(first: Path, root: Path) -> list[Path]:
    files, queue = [], [first]
    while queue:
        file = queue.pop()
        if file in files:
            continue
        files.append(file)
        for line in file.read_text(encoding="utf-8").splitlines():
            match = _INCLUDE.match(line)
            if match and "://" not in match[1]:
                included = (file.parent / match[1]).resolve()
                if not included.is_file() or not included.is_relative_to(root.resolve()):
                    raise included_file_missing(file.name, match[1])
                queue.append(included)
    return files


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
