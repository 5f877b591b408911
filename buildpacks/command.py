"""Running the tools that make our own images: their output on the terminal, or in a log whose end an error shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from modelwright.images import tools


def stream(command: Sequence[str], *, environment: Mapping[str, str] | None = None, log: Path | None = None) -> None:
    """Run a command, its output on ours or, with `log`, in that file.

    Raises ImageError when the program is missing or fails.
    """
    if log is None:
        tools.run(command, print, environment=environment)
        return
    with log.open("w", encoding="utf-8") as output:
        tools.run(command, lambda line: print(line, file=output, flush=True), environment=environment)
