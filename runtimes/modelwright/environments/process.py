"""Starting the process that keeps a model's process, in the model's environment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from modelwright.environments import INSIDE, Wanted
from modelwright.environments.description import Description
from modelwright.environments.interpreter import Interpreter

BOOTSTRAP: Final = Path(__file__).with_name("bootstrap.py")
# A layer above this one: it knows the styles.
_PROGRAM: Final = "modelwright.styles.apart"
# They name the server's environment, or what is importable there.
_SERVERS: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONSAFEPATH")
_BACKLOG: Final = 128


class Process:
    """A keeper: it lives until every process that holds `lifetime`, forked ones too, has closed it or ended."""

    def __init__(self, interpreter: Interpreter, description: Description, style: str, wanted: Wanted) -> None:
        # Short, since a socket's path has 107 bytes at most; nobody but this user can look into it.
        folder = tempfile.mkdtemp(prefix="modelwright-")
        self.address = str(Path(folder, "model"))
        reading, self._lifetime = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(self.address)
            listening.listen(_BACKLOG)
            told = {
                "listening": listening.fileno(),
                "lifetime": reading,
                "style": style,
                "path": str(wanted.path),
                "class_name": wanted.class_name,
                "model_name": wanted.model_name,
            }
            self._process = subprocess.Popen(
                [str(interpreter.program), "-s", str(BOOTSTRAP), _PROGRAM, json.dumps(told)],
                env=environment(interpreter, description, os.environ),
                stdin=subprocess.DEVNULL,
                pass_fds=(listening.fileno(), reading),
                # A terminal's Ctrl-C is for the server, which drains first.
                start_new_session=True,
            )
        os.close(reading)

    def release(self) -> None:
        """Let go of it; it unloads and ends when every other process has."""
        if self._lifetime >= 0:
            os.close(self._lifetime)
            self._lifetime = -1
        self._process.poll()


def environment(interpreter: Interpreter, description: Description, inherited: Mapping[str, str]) -> dict[str, str]:
    """Give the environment variables of a process in an environment: those inherited, without the server's own."""
    folder = interpreter.program.parent.parent
    kept = {name: value for name, value in inherited.items() if name not in _SERVERS}
    path = os.pathsep.join(filter(None, [str(interpreter.program.parent), inherited.get("PATH")]))
    # Code that asks which conda environment it is in finds the name that it was made under.
    conda = {"CONDA_DEFAULT_ENV": description.name, "CONDA_PREFIX": str(folder)} if description.name else {}
    return {**kept, **conda, "PATH": path, "VIRTUAL_ENV": str(folder), INSIDE: description.digest}
