"""The interpreter: no layer. It comes from the base image, so that a rebase of the run image patches it everywhere.

`venv` therefore holds a link to it and not a copy, and runs on any patch release; the one that it was built with is
still part of the layer's key, because wheels are chosen by it (`requires-python`).
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import log, versions
from .context import Context
from .project import Project
from .sources import Source


@dataclass(frozen=True)
class Interpreter:
    """A Python of the base image."""

    path: Path
    version: str


def _folders(context: Context) -> list[Path]:
    """Give PATH's folders of the base image: another buildpack's layer is there too, and need not be at run time."""
    listed = context.environment.get("PATH", "").split(os.pathsep)
    every = context.layers.parent
    return [Path(each) for each in listed if each.startswith("/") and not Path(each).is_relative_to(every)]


def available(context: Context) -> dict[versions.Release, Path]:
    """Every interpreter of the base image by its full version."""
    found: dict[versions.Release, Path] = {}
    for folder in _folders(context):
        for path in sorted(folder.glob("python3.*")):
            if re.fullmatch(r"python3\.\d+", path.name):
                printed = subprocess.run([path, "-I", "--version"], capture_output=True, text=True, check=True)
                match = re.search(r"\d+\.\d+\.\d+", printed.stdout)
                if match:
                    found.setdefault(versions.release(match[0]), path)
    return found


def requests(context: Context, project: Project, source: Source) -> list[versions.Request]:
    """Read what the folder's files ask for, each by its own name."""
    asked = []
    if (text := context.text("runtime.txt")) is not None:
        asked.append(versions.from_runtime_txt(text))
    if (text := context.text(".python-version")) is not None:
        asked.append(versions.from_python_version(text))
    if project.requires_python:
        asked.append(versions.from_requires_python(project.requires_python))
    if source.python:
        asked.append(source.python)
    return asked


def select(context: Context, project: Project, source: Source) -> Interpreter:
    """Choose the interpreter and say in the log whose wish it was."""
    log.header("Python version")
    asked = requests(context, project, source)
    found = available(context)
    chosen = versions.choose(asked, found)
    version = ".".join(map(str, chosen))
    reason = (
        " and ".join(f"{request.source} asks for {request.wants}" for request in asked) or "no file asks for another"
    )
    log.info(f"Using Python {version} of the base image: {reason}")
    return Interpreter(found[chosen], version)
