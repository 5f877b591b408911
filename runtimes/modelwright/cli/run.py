"""`modelwright run -- python -m model`: somebody's own entry point, served by this server."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelwright.cli import process
from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run` to the verbs."""
    parser = verbs.add_parser(
        "run",
        help="run a model's own command with this server in the place of kserve's",
        description="Runs COMMAND as it is; in every Python that it starts, `import kserve` is answered by this "
        "server. MODELWRIGHT_KSERVE=genuine in the environment leaves kserve as it is.",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="for example: python -m model")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Become the command; raises CommandError where there is none or it cannot start."""
    words = [*arguments.command, *rest]
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise CommandError("name the command to run, for example: modelwright run -- python -m model")
    return process.become(process.own_python(words), process.hooked(os.environ))
