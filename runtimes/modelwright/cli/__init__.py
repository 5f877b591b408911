"""The author's command line: one file per verb, each adding its parser and returning an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

from modelwright.cli.errors import CommandError

# In the order in which `--help` shows them; each is a module here.
VERBS: Final = (
    "run", "serve", "predict", "doctor", "init", "contract", "join", "build", "dockerfile", "push", "deploy",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status: 0, or 2 for a mistake that the message names."""
    words = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="modelwright", description="From a model class to a service.")
    verbs = parser.add_subparsers(title="verbs", required=True)
    # Only the verb that was asked for: what the others import would be a sixth of a server's start.
    for verb in words[:1] if words[:1] and words[0] in VERBS else VERBS:
        importlib.import_module(f"modelwright.cli.{verb}").add_parser(verbs)
    arguments, rest = parser.parse_known_args(words)
    try:
        return int(arguments.run(arguments, rest))
    except CommandError as error:
        sys.stderr.write(f"modelwright: {error}\n")
        return 2
