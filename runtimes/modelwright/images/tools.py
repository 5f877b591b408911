"""Running the tools that make images: their lines pass through as they come, and a failure names the command."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from modelwright.images.errors import ImageError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TAIL = 15


class ToolFailed(ImageError):
    """A tool ended with another status than 0; `lines` are its last."""

    def __init__(self, message: str, lines: Sequence[str]) -> None:
        super().__init__("\n".join([message, *lines]))
        self.message = message
        self.lines = tuple(lines)


def run(
    command: Sequence[str],
    each: Callable[[str], None] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    given: Path | None = None,
) -> None:
    """Run a command to its end; `each` takes every line of its output, without colours, as it comes.

    `given` is the file that it reads, by default nothing. Variables of `environment` are added to this process's own,
    so that no value shows in a list of processes.

    Raises:
        ImageError: the program is missing.
        ToolFailed: it failed.

    """
    tail: deque[str] = deque(maxlen=_TAIL)
    with Path(given or os.devnull).open("rb") as read:
        try:
            process = subprocess.Popen(
                command, env={**os.environ, **(environment or {})}, text=True, errors="replace",
                stdin=read, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except FileNotFoundError:
            raise ImageError(f"{command[0]} is not on PATH: install it") from None
    with process:
        try:
            for raw in process.stdout or ():
                line = _COLOUR.sub("", raw).rstrip()
                tail.append(line)
                if each is not None:
                    each(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        words = " ".join(word for word in command[:3])
        raise ToolFailed(f"`{words} ...` ended with status {process.returncode}; its last lines:", list(tail))


def asked(command: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = 30.0) -> str | None:
    """Give a command's standard output without its last newline, or None when it is missing, fails or is too slow."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False,
            timeout=seconds, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
