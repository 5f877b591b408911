"""The interpreter: no layer. It comes from the base image, so that a rebase of the run image patches it everywhere.

`venv` therefore holds a link to it and not a copy, and runs on any patch release; the one that it was built with is
still part of the layer's key, because wheels are chosen by it (`requires-python`).
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import log, versions
from .context import Context
from .project import Project

FOLDERS = (Path("/usr/local/bin"), Path("/usr/bin"))


@dataclass(frozen=True)
class Interpreter:
    """A Python of the base image."""

    path: Path
    version: str


def available() -> dict[versions.Release, Path]:
    """Every interpreter of the base image by its full version."""
    found: dict[versions.Release, Path] = {}
    for folder in FOLDERS:
        for path in sorted(folder.glob("python3.*")):
            if re.fullmatch(r"python3\.\d+", path.name):
                printed = subprocess.run([path, "-I", "--version"], capture_output=True, text=True, check=True)
                match = re.search(r"\d+\.\d+\.\d+", printed.stdout)
                if match:
                    found.setdefault(versions.release(match[0]), path)
    return found


def requests(context: Context, project: Project) -> list[versions.Request]:
    """Read what the folder's files ask for, each by its own name."""
    asked = []
    if (text := context.text("runtime.txt")) is not None:
        asked.append(versions.from_runtime_txt(text))
    if (text := context.text(".python-version")) is not None:
        asked.append(versions.from_python_version(text))
    if project.requires_python:
        asked.append(versions.from_requires_python(project.requires_python))
    return asked


def select(context: Context, project: Project) -> Interpreter:
    """Choose the interpreter and say in the log whose wish it was."""
    log.header("Python version")
    asked = requests(context, project)
    found = available()
    chosen = versions.choose(asked, found)
    version = ".".join(map(str, chosen))
    reason = (
        " and ".join(f"{request.source} asks for {request.wants}" for request in asked) or "no file asks for another"
    )
    log.info(f"Using Python {version} of the base image: {reason}")
    return Interpreter(found[chosen], version)
