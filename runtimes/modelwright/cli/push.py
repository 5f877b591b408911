"""`modelwright push IMAGE`: from what this machine keeps images in to the image's registry."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `push` to the verbs."""
    parser = verbs.add_parser("push", help="push an image that was built here to the registry that its name has")
    parser.add_argument("image", metavar="IMAGE", help="REGISTRY/NAME[:TAG]")
    parser.add_argument(
        "--runtime", metavar="NAME", help="docker, podman, nerdctl or buildah; default: which has the image"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Push, and print the digest; raises CommandError where that cannot be."""
    if rest:
        raise CommandError(f"push has no {rest[0]}: see modelwright push --help")
    from modelwright.cli.build import say  # noqa: PLC0415 - other verbs do without these
    from modelwright.images import local, reference  # noqa: PLC0415
    from modelwright.images.errors import ImageError  # noqa: PLC0415

    try:
        image = reference.pushable(arguments.image)
        digest = local.push(image, arguments.runtime or "", say)
    except ImageError as error:
        raise CommandError(str(error)) from None
    sys.stdout.write(f"{image.name}@{digest}\n")
    return 0
