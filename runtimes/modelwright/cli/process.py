"""Becoming another process, with the import hook active in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from modelwright.cli import interpreter
from modelwright.cli.errors import CommandError

# On PYTHONPATH, its sitecustomize.py is the first thing that a Python runs: `python -m model`, a script, and the
# processes that those start.
SITE = Path(__file__).parents[1] / "styles" / "kserve" / "site"


def hooked(environment: Mapping[str, str], *before: Path) -> dict[str, str]:
    """Return an environment whose Pythons have the hook, and find modules in the folders `before` all others."""
    search = [str(SITE), *(str(folder.resolve()) for folder in before)]
    # Under `uv run` a Ray of this machine's own would start its workers by uv too, in an environment made anew, and
    # refuse a folder without a pyproject.toml; they belong in this interpreter's. For a Ray elsewhere it makes sense.
    ray = {} if environment.get("RAY_ADDRESS", "local") != "local" else {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    path = os.pathsep.join(filter(None, [*search, environment.get("PYTHONPATH")]))
    return {**ray, **environment, "PYTHONPATH": path}


def own_python(words: list[str]) -> list[str]:
    """Return the command with this interpreter in the place of `python` or `python3`."""
    return [sys.executable, *words[1:]] if words and words[0] in {"python", "python3"} else words


def become(words: list[str], environment: Mapping[str, str], named_by: str = "the command line") -> int:
    """Run the command in this process's place, so that signals are its own, and return its exit status if it returns.

    Raises CommandError where it cannot start.
    """
    if interpreter.can_run(words) and interpreter.run(words, environment):
        return 0
    try:
        os.execvpe(words[0], words, dict(environment))  # noqa: S606 - the author's own command, no shell
    except FileNotFoundError as error:
        raise CommandError(f"'{words[0]}', named by {named_by}, is not on PATH: install it") from error
    except PermissionError as error:
        raise CommandError(f"'{words[0]}', named by {named_by}, is not executable") from error
