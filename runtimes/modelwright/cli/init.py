"""`modelwright init --style STYLE NAME`: a project that serves, is tested and can be built at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

_STYLES = ("kserve", "mlserver", "nos", "nemo_curator", "infosys")


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `init` to the verbs."""
    parser = verbs.add_parser("init", help="start a project: a model, its test, and what an image and a cluster need")
    parser.add_argument("name", metavar="NAME", help="the service's name, such as my-model")
    parser.add_argument("--style", choices=_STYLES, default="kserve", help="how the model is written, default kserve")
    parser.add_argument("--folder", metavar="FOLDER", help="where to, default NAME; it must be empty or not there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Write the project; raises CommandError where the name or the folder will not do."""
    if rest:
        raise CommandError(f"init has no {rest[0]}: see modelwright init --help")
    # Other verbs do without it.
    from modelwright.authoring import scaffold  # noqa: PLC0415
    from modelwright.authoring.errors import Mistake  # noqa: PLC0415

    folder = Path(arguments.folder or arguments.name)
    try:
        texts = scaffold.files(arguments.style, arguments.name)
        scaffold.write(folder, texts)
    except Mistake as error:
        raise CommandError(str(error)) from None
    sys.stdout.write(f"{folder}: {', '.join(sorted(texts))}\nnext: cd {folder} && modelwright serve .\n")
    return 0
