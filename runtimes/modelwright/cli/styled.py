"""`python -m modelwright.cli.styled STYLE PATH[:CLASS] [FLAGS]`: an author's file or folder, served in its style."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from modelwright.errors import EnvironmentUnusable
from modelwright.server import Arguments, run
from modelwright.server.arguments import parser
from modelwright.styles import substitutes
from modelwright.styles.catalogue import DiscoveryError, Wanted, discovery


def start(style: str, target: str, argv: Sequence[str]) -> None:
    """Serve until SIGTERM.

    Raises:
        DiscoveryError: see `styles.catalogue.Discovery`.
        EnvironmentUnusable: a model names an environment that is none.

    """
    path, _, class_name = target.partition(":")
    wanted = Wanted(Path(path).resolve(), class_name or None, _model_name(argv))
    folder = wanted.path if wanted.path.is_dir() else wanted.path.parent
    # As Python does for a script: the author's own modules are found beside it.
    sys.path.insert(0, str(folder))
    substitutes.install()
    found = discovery(style).discover(wanted)
    # No flag but the server's: there is no parser of the author's that could want another.
    run(found.models, Arguments(**vars(parser(defaults=found.arguments).parse_args(argv))))


def _model_name(argv: Sequence[str]) -> str | None:
    """Give --model_name where it was given: its default is no name that somebody chose."""
    known, _ = parser(defaults={"model_name": ""}).parse_known_args(argv)
    return known.model_name or None


if __name__ == "__main__":
    try:
        start(sys.argv[1], sys.argv[2], sys.argv[3:])
    except (DiscoveryError, EnvironmentUnusable) as error:
        sys.stderr.write(f"modelwright: {error}\n")
        sys.exit(2)
