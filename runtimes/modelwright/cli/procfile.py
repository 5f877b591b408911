"""A Procfile: `type: command`, one process a line, as Heroku defined it and the buildpack reads it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from modelwright.cli import process
from modelwright.cli.errors import CommandError

PROCESS = re.compile(r"^(?P<type>[A-Za-z0-9_-]+):\s*(?P<command>\S.*?)\s*$")


def read(folder: Path) -> Mapping[str, str]:
    """Map process types to command lines; raises CommandError if the file is missing or a line is wrong."""
    path = folder / "Procfile"
    if not path.is_file():
        raise CommandError(f"{path} is missing: write one with the line 'web: python -m model'")
    processes: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = PROCESS.match(line)
        if match is None:
            raise CommandError(f"{path}:{number}: '{line.strip()}' is not 'type: command'")
        processes[match["type"]] = match["command"]
    return processes


def argv(command: str, environment: Mapping[str, str]) -> list[str]:
    """Split a command line as a shell would, with $NAME replaced and `python` this interpreter."""
    return process.own_python([_expand(word, environment) for word in shlex.split(command)])


def _expand(word: str, environment: Mapping[str, str]) -> str:
    return re.sub(
        r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))",
        lambda match: environment.get(match["braced"] or match["bare"], ""),
        word,
    )
