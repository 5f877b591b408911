"""The author's command line: one file per verb, each adding its parser and returning an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from modelwright.cli import contract, doctor, init, predict, run, serve
from modelwright.cli.errors import CommandError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status: 0, or 2 for a mistake that the message names."""
    parser = argparse.ArgumentParser(prog="modelwright", description="From a model class to a service.")
    verbs = parser.add_subparsers(title="verbs", required=True)
    run.add_parser(verbs)
    serve.add_parser(verbs)
    predict.add_parser(verbs)
    doctor.add_parser(verbs)
    init.add_parser(verbs)
    contract.add_parser(verbs)
    arguments, rest = parser.parse_known_args(argv)
    try:
        return int(arguments.run(arguments, rest))
    except CommandError as error:
        sys.stderr.write(f"modelwright: {error}\n")
        return 2
