"""Modelwright's own server: the wheel and the requirements that `make builder` laid beside this buildpack."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from . import log
from .context import Context
from .errors import server_missing, switch_unreadable
from .project import Project

SWITCH = "BP_MODELWRIGHT_SERVER"
FOLDER = "server"
"""The buildpack's folder that holds the two."""


@dataclass(frozen=True)
class Server:
    """The server that images run, and what it needs of their dependencies."""

    wheel: Path
    requirements: Path

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
    folder = context.buildpack / FOLDER
    wheels = sorted(folder.glob("modelwright-*.whl"))
    if len(wheels) != 1:
        raise server_missing()
    return Server(wheels[0], folder / "requirements.txt")


def _refused(context: Context, project: Project) -> str | None:
    value = context.environment.get(SWITCH, "true")
    if value not in ("true", "false"):
        raise switch_unreadable(SWITCH, value)
    if value == "false":
        return f"{SWITCH} is false"
    return "this project is Modelwright itself" if project.name == "modelwright" else None
