"""Procfile -> processes. Pure.

The launcher appends a container's own arguments to a process's `command`, so a plain line becomes its argv and
`--workers 2` in an InferenceService reaches `python -m model` as it would on a shell. A line that needs a shell gets
one, with `"$@"` at its end for the same reason.
"""

import re
import shlex
from collections.abc import Mapping

from .errors import no_web_process, process_repeated, procfile_unreadable

DEFAULT = "web"

_LINE = re.compile(r"(?P<type>[A-Za-z0-9_.-]+)\s*:\s*(?P<command>\S.*)")
_NEEDS_SHELL = re.compile(r"[$`|&;<>()*?\[\]{}~#!\\]|^\s*[A-Za-z_][A-Za-z0-9_]*=")


def parse(text: str) -> dict[str, str]:
    """Map each process type to its line, in the file's order. Raises on a line that is none or a type given twice."""
    processes: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise procfile_unreadable(number, line)
        if match["type"] in processes:
            raise process_repeated(match["type"])
        processes[match["type"]] = match["command"]
    return processes


def require_default(processes: Mapping[str, str]) -> None:
    """Raise unless there is a `web` process for the container to start by itself."""
    if DEFAULT not in processes:
        raise no_web_process(sorted(processes))


def argv(process: str, line: str) -> list[str]:
    """Return the command of a process: the line's own words, or a shell that runs the line and passes arguments on."""
    if not _NEEDS_SHELL.search(line):
        try:
            return shlex.split(line)
        except ValueError:
            pass  # An unbalanced quote: bash words that error better, at the start of the container.
    return ["bash", "-c", f'{line} "$@"', process]
