"""`modelwright serve DIR|module:Class`: a folder's `web` process, or one class, with no image and no cluster."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli import process, procfile
from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve` to the verbs."""
    parser = verbs.add_parser(
        "serve",
        help="serve a model folder or a model class on this machine",
        description="Runs the `web` line of DIR/Procfile, or serves one class. Every further argument is the server's, "
        "for example --http_port 8081. MODELWRIGHT_KSERVE=genuine in the environment leaves kserve as it is.",
    )
    parser.add_argument("target", metavar="DIR|module:Class", help="folder with a Procfile and a model, or a class")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start the server of `arguments.target` with `rest`."""
    target: str = arguments.target
    if ":" in target and not Path(target).is_dir():
        return _serve_class(target, rest)
    return _serve_folder(Path(target), rest)


def _serve_class(target: str, rest: Sequence[str]) -> int:
    words = [sys.executable, "-m", "modelwright.cli.direct", target, *_with_port(rest, os.environ.get("PORT"))]
    return process.become(words, process.hooked(os.environ, Path.cwd()))


def _serve_folder(folder: Path, rest: Sequence[str]) -> int:
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder: name one with a Procfile and a model, or module:Class")
    processes = procfile.read(folder)
    if "web" not in processes:
        raise CommandError(f"{folder / 'Procfile'} has no web process: add the line 'web: python -m model'")
    environment = process.hooked(os.environ, folder)
    words = [*procfile.argv(processes["web"], environment), *rest]
    os.chdir(folder)
    return process.become(_with_port(words, environment.get("PORT")), environment, "the Procfile")


def _with_port(words: Sequence[str], port: str | None) -> list[str]:
    """Return the words with PORT as --http_port, as buildpacks mean it, unless the author chose one."""
    chosen = any(word.split("=")[0] == "--http_port" for word in words)
    return [*words, f"--http_port={port}"] if port and not chosen else [*words]
