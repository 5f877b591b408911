"""Running the tools that make images: their output passes through or comes back, and a failure names the command."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ImageError(RuntimeError):
    """An image could not be made; the message says why and what to do."""


def stream(command: Sequence[str], *, environment: Mapping[str, str] | None = None, log: Path | None = None) -> None:
    """Run a command, its output on ours or, with `log`, in that file, whose end an error then shows.

    Raises ImageError when the program is missing or fails.
    """
    merged = {**os.environ, **(environment or {})}
    try:
        if log is None:
            status = subprocess.run(command, env=merged, check=False).returncode
            tail = ""
        else:
            with log.open("w", encoding="utf-8") as output:
                status = subprocess.run(
                    command, env=merged, stdout=output, stderr=subprocess.STDOUT, check=False
                ).returncode
            tail = "\n" + "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is not installed") from None
    if status != 0:
        raise ImageError(f"{' '.join(command[:3])} failed with exit status {status}{tail}")


def capture(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str | None:
    """Return a command's standard output without its last newline, or None when it is missing or fails."""
    merged = {**os.environ, **(environment or {})}
    try:
        finished = subprocess.run(command, env=merged, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return finished.stdout.rstrip("\n") if finished.returncode == 0 else None
