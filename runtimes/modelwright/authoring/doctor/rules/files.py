"""What lies in the folder: Procfile, runtime.txt, weights, links, files that are no Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelwright.authoring.doctor.findings import Hit, Rule, Severity
from modelwright.authoring.doctor.project import Project
from modelwright.styles import weight_files

_PROCESS: Final = re.compile(r"^(?P<type>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)$")
_RUNTIME: Final = re.compile(r"python-3\.(?P<minor>\d+)(\.(\d+|x|\*))?")
_MINORS: Final = (11, 12, 13)
_SKIPPED: Final = frozenset(("__pycache__", "node_modules", ".git", ".venv", "venv"))


def _broken(project: Project) -> Iterator[Hit]:
    yield from project.broken


def _no_web(project: Project) -> Iterator[Hit]:
    lines = project.lines("Procfile")
    if lines is not None and "web" not in dict(_processes(lines)):
        yield Hit(project.folder / "Procfile", 1, "there is no line 'web: ...'")


def _no_module(project: Project) -> Iterator[Hit]:
    for number, line in enumerate(project.lines("Procfile") or [], start=1):
        found = re.match(r"web:\s*python3?\s+-m\s+(?P<module>[\w.]+)", line)
        if found is None or found["module"].startswith("modelwright"):
            continue
        path = project.folder.joinpath(*found["module"].split("."))
        if not (path.with_suffix(".py").is_file() or path.is_dir()) and found["module"] not in _INSTALLED:
            yield Hit(project.folder / "Procfile", number, f"'{line.strip()}' runs a module that is not in the folder")


_INSTALLED: Final = frozenset(("uvicorn", "gunicorn", "mlserver", "kserve", "flask", "http.server"))


def _processes(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _PROCESS.match(line.strip())
        if match and not line.lstrip().startswith("#"):
            yield match["type"], match["command"]


def _runtime(project: Project) -> Iterator[Hit]:
    lines = project.lines("runtime.txt")
    if lines is None:
        return
    text = "\n".join(lines).strip()
    match = _RUNTIME.fullmatch(text)
    if match is None:
        yield Hit(project.folder / "runtime.txt", 1, f"'{text[:40]}' is not 'python-3.N' or 'python-3.N.M'")
    elif int(match["minor"]) not in _MINORS:
        yield Hit(project.folder / "runtime.txt", 1, f"the server does not run on Python 3.{match['minor']}")


def _weights(project: Project) -> Iterator[Hit]:
    for path, size in weight_files.left_out(project.folder):
        yield Hit(path, 1, f"{size / 1e6:.0f} MB of weights lie in the folder")


def _links(project: Project) -> Iterator[Hit]:
    inside = project.folder.resolve()
    for path in _files(project.folder):
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            yield Hit(path, 1, "the link leads out of the folder")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _SKIPPED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


RULES: Final = (
    Rule("syntax", Severity.ERROR, "Python cannot import the file", "mend the line; --fix leaves such files", _broken),
    Rule(
        "procfile-no-web",
        Severity.ERROR,
        "an image runs the web process and has none",
        "add the line 'web: python -m model', or delete the Procfile where the style starts by itself",
        _no_web,
    ),
    Rule(
        "procfile-module",
        Severity.ERROR,
        "the pod ends at its start: No module named",
        "name a module of the folder, without .py",
        _no_module,
    ),
    Rule(
        "runtime-txt",
        Severity.ERROR,
        "no image can be built with that Python",
        f"write python-3.{_MINORS[0]}; there are 3.{', 3.'.join(map(str, _MINORS))}",
        _runtime,
    ),
    Rule(
        "weights-in-folder",
        Severity.WARNING,
        "an image is built without them, as they would make it slow to build, to push and to start",
        "put them in a bucket or a claim, name it as storageUri, and read /mnt/models; or build with them on purpose",
        _weights,
    ),
    Rule(
        "escaping-link",
        Severity.ERROR,
        "what it points at does not get into the image",
        "copy the file into the folder",
        _links,
    ),
)
