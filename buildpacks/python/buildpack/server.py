"""Modelwright's own server: the wheel and the requirements that `make builder` laid beside this buildpack."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from . import log
from .carried import FOLDER, wheels
from .context import Context
from .project import Project
from .switches import on

SWITCH = "BP_MODELWRIGHT_SERVER"


@dataclass(frozen=True)
class Server:
    """The server that images run, and what it needs of their dependencies."""

    wheel: Path
    requirements: Path
    compiled: tuple[Path, ...] = ()

    def for_python(self, version: str) -> "Server":
        """Give the server as an interpreter runs it best: compiled for it where the builder could, else as Python."""
        major, minor = version.split(".")[:2]
        tag = f"-cp{major}{minor}-"
        return replace(self, wheel=next((wheel for wheel in self.compiled if tag in wheel.name), self.wheel))

    @property
    def version(self) -> str:
        """The version in the wheel's name."""
        return self.wheel.name.split("-")[1]

    @property
    def wheel_digest(self) -> str:
        """What its own layer is made from."""
        return hashlib.sha256(self.wheel.read_bytes()).hexdigest()

    @property
    def requirements_digest(self) -> str:
        """What it adds to the dependencies; a change of its code alone does not change this."""
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()


def find(context: Context, project: Project) -> Server | None:
    """Return the server to put into the image, or None where the author wants none or it is what is being built."""
    if reason := _refused(context, project):
        log.header("Model server")
        log.info(f"None is installed: {reason}")
        return None
    pure, compiled = wheels(context)
    return Server(pure, context.buildpack / FOLDER / "requirements.txt", compiled)


def _refused(context: Context, project: Project) -> str | None:
    if not on(context, SWITCH, default=True):
        return f"{SWITCH} is false"
    return "this project is Modelwright itself" if project.name == "modelwright" else None
