"""`modelwright run -- python -m model`: somebody's own entry point, served by this server; `run IMAGE`: a container."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli import process
from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

_SEPARATOR = "--"


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run` to the verbs."""
    parser = verbs.add_parser(
        "run",
        usage="modelwright run -- COMMAND ...\n       modelwright run IMAGE [OPTION ...] [-- ARGUMENT ...]",
        help="run a model's own command with this server in the place of kserve's; or an image, in a container",
        description="Runs COMMAND as it is; in every Python that it starts, `import kserve` is answered by this "
        "server. MODELWRIGHT_KSERVE=genuine in the environment leaves kserve as it is. An IMAGE runs in a container, "
        "in the foreground, with nothing writable but /tmp; ARGUMENTs are the model server's.",
    )
    _add_options(parser)
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND | IMAGE", help="for example: -- python -m model"
    )
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", "--publish", metavar="HOST:CONTAINER", action="append", help="a port, such as 8080:8080")
    parser.add_argument("-e", "--env", metavar="NAME=VALUE", action="append", help="a variable; NAME alone takes yours")
    parser.add_argument("--weights", metavar="DIR", type=Path, help="a folder to mount at /mnt/models, read-only")
    parser.add_argument("--cpus", metavar="N", help="how many CPUs it may use, such as 1.5")
    parser.add_argument("--memory", metavar="SIZE", help="how much memory it may use, such as 1g")
    parser.add_argument("--user", metavar="UID[:GID]", help="the user, by default the image's")
    parser.add_argument("--network", metavar="NET", help="the network, by default the runtime's own")
    parser.add_argument("--runtime", metavar="NAME", help="docker, podman or nerdctl; default: the first here")


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Become the command or the container's client; raises CommandError where there is none or it cannot start."""
    words = [*arguments.command, *rest]
    if words[:1] != [_SEPARATOR] and words:
        return _container(arguments, words)
    if not words[1:]:
        raise CommandError(
            "name the command to run, for example: modelwright run -- python -m model; or an image: modelwright run "
            "IMAGE -p 8080:8080"
        )
    return process.become(process.own_python(words[1:]), process.hooked(os.environ))


def _container(before: argparse.Namespace, words: Sequence[str]) -> int:
    """Become the client of a container's runtime, so that signals are its own."""
    from modelwright.images import local, reference  # noqa: PLC0415 - the other form does without them
    from modelwright.images.errors import ImageError  # noqa: PLC0415

    split = words.index(_SEPARATOR) if _SEPARATOR in words else len(words)
    parser = argparse.ArgumentParser(prog="modelwright run", argument_default=argparse.SUPPRESS, allow_abbrev=False)
    _add_options(parser)
    given = argparse.Namespace(**{name: value for name, value in vars(before).items() if name != "command"})
    _, unknown = parser.parse_known_args(words[1:split], given)
    if unknown:
        raise CommandError(
            f"run IMAGE has no {unknown[0]}: arguments of the model server go behind --, as in modelwright run "
            f"{words[0]} -p 8080:8080 -- --workers 2{_hint(words)}"
        )
    try:
        container = local.Container(
            reference.parse(words[0]),
            given.publish or (),
            given.env or (),
            given.weights,
            given.cpus or "",
            given.memory or "",
            given.user or "",
            given.network or "",
            words[split + 1 :],
        )
        command = local.run_command(container, given.runtime or "", os.environ)
    except ImageError as error:
        raise CommandError(f"{error}{_hint(words)}") from None
    return process.become(command, os.environ)


def _hint(words: Sequence[str]) -> str:
    # Before there were images, a command needed no `--` in front of it.
    return f"; to run the command {words[0]!r}, write -- in front of it" if len(words) > 1 else ""
