"""`modelwright dockerfile DIR`: the Dockerfile and .dockerignore of a model's folder, to change and build anywhere."""

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


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `dockerfile` to the verbs."""
    parser = verbs.add_parser(
        "dockerfile", help="write a Dockerfile and .dockerignore for BuildKit, classic Docker, Kaniko and Buildah"
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder with the model")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the Dockerfile, by default DIR/Dockerfile; - prints it"
    )
    parser.add_argument(
        "--base", metavar="IMAGE", default="", help="the image to stand on, by default Python's slim one"
    )
    parser.add_argument("--build-base", metavar="IMAGE", default="", help="the image to install in, by default --base")
    parser.add_argument("--wheel", metavar="FILE", type=Path, help="install this wheel of modelwright's")
    parser.add_argument("--certificates", metavar="FILE", type=Path, help="a CA bundle to install by, not in the image")
    parser.add_argument("--with-weights", action="store_true", help="let files that are weights into the image")
    parser.add_argument("--force", action="store_true", help="write over files that this command did not write")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Write the files, and say which; raises CommandError where the folder or a file will not do."""
    if rest:
        raise CommandError(f"dockerfile has no {rest[0]}: see modelwright dockerfile --help")
    from modelwright.images import dockerfile  # noqa: PLC0415 - other verbs do without it
    from modelwright.images.errors import ImageError  # noqa: PLC0415

    try:
        plan = dockerfile.plan(
            arguments.folder,
            base=arguments.base,
            build_base=arguments.build_base,
            wheel=arguments.wheel,
            certificates=arguments.certificates,
            with_weights=arguments.with_weights,
        )
        if str(arguments.output) == "-":
            sys.stdout.write(plan.text)
            return 0
        written = plan.write(arguments.output or arguments.folder / "Dockerfile", force=arguments.force)
    except ImageError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or arguments.folder} cannot be written: {error.strerror}") from None
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0
