"""An environment's interpreter for replicas of an object, `modelwright.scale.processes`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import cloudpickle  # type: ignore[import-untyped]

from modelwright.environments import store
from modelwright.environments.description import Description, from_packages
from modelwright.environments.process import BOOTSTRAP, environment
from modelwright.scale.process import Launch

_PROGRAM: Final = "modelwright.scale.replica"
_OURS: Final = Path(__file__).parents[2]


def described(packages: tuple[str, ...], source: str) -> Description:
    """Describe an environment of pip requirements in which pickled classes can be read: of this Python.

    Raises:
        EnvironmentUnusable: one of them is no requirement.

    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return from_packages((*packages, f"cloudpickle=={cloudpickle.__version__}"), python=version, source=source)


def launch(description: Description) -> Launch:
    """Make the environment unless it is there; give how replicas start in it. Blocks for as long as that takes.

    Raises:
        EnvironmentUnusable: it cannot be had; the message says why and what to do.

    """
    interpreter = store.ready(description)
    command = (str(interpreter.program), "-s", str(BOOTSTRAP), _PROGRAM)
    return Launch(command, tuple(_authors()), environment(interpreter, description, os.environ))


def _authors() -> list[str]:
    """Give the folders of `sys.path` that are the author's: no interpreter's, and not where this package lies."""
    not_theirs = [Path(each).resolve() for each in {sys.prefix, sys.base_prefix, sys.exec_prefix}]
    found = []
    for entry in sys.path:
        folder = Path(entry or ".").resolve()
        if folder.is_dir() and folder != _OURS and not any(folder.is_relative_to(each) for each in not_theirs):
            found.append(str(folder))
    return found
