"""`modelwright serve DIR|FILE.py|FILE.py:Class|module:Class`: a model of any style, with no image and no cluster."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli import process, target
from modelwright.cli.choice import choose
from modelwright.cli.errors import CommandError
from modelwright.styles.detect import SIGNS

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve` to the verbs."""
    parser = verbs.add_parser(
        "serve",
        help="serve a model of any style on this machine",
        description="Runs the `web` line of DIR/Procfile; without one, serves what the files hold in the style that "
        "they are written in. Every further argument is the server's, for example --http_port 8081. "
        "MODELWRIGHT_KSERVE=genuine in the environment leaves kserve as it is.",
        # An argument of the server's must not be read as a beginning of --style.
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="DIR|FILE.py[:Class]|module:Class", help="a model's folder, file or class")
    parser.add_argument("--style", metavar="S", help=f"serve it in this style: {', '.join(SIGNS)}")
    parser.add_argument(
        "--reload",
        action="store_true",
        help="for development: take over changed methods with the model kept loaded; start anew for other changes",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start the server of `arguments.target` with `rest`; raises CommandError where it cannot be."""
    wanted = target.read(arguments.target)
    choice = choose(wanted, arguments.style)
    if arguments.reload:
        return _reloading(arguments, rest, wanted.folder)
    sys.stderr.write(f"modelwright: {choice.told}\n")
    sys.stderr.flush()
    environment = process.hooked(os.environ, wanted.folder)
    environment.setdefault("MODELWRIGHT_SHOW_CURL", str(wanted.folder.resolve()))
    words = [*choice.words, *rest]
    if choice.folder is not None:
        os.chdir(choice.folder)
    return process.become(_with_port(words, environment.get("PORT")), environment, choice.named_by)


def _reloading(arguments: argparse.Namespace, rest: Sequence[str], folder: Path) -> int:
    # Other starts do without these.
    from modelwright.authoring.errors import Mistake  # noqa: PLC0415
    from modelwright.authoring.reload import loop  # noqa: PLC0415

    style = ["--style", arguments.style] if arguments.style else []
    # How it is served is told anew each time, since the files that tell it may change.
    command = [sys.executable, "-m", "modelwright", "serve", arguments.target, *style, *rest]
    try:
        return loop.run(command, os.environ, folder)
    except Mistake as error:
        raise CommandError(str(error)) from None


def _with_port(words: Sequence[str], port: str | None) -> list[str]:
    """Return the words with PORT as --http_port, as buildpacks mean it, unless the author chose one."""
    chosen = any(word.split("=")[0] == "--http_port" for word in words)
    return [*words, f"--http_port={port}"] if port and not chosen else [*words]
