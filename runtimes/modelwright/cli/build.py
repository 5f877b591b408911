"""`modelwright build DIR -t IMAGE [--push]`: an image of a model's folder, by whatever there is to build with."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

    from modelwright.images.order import Engine, Order

INTERRUPTED: Final = 130
_ENGINES = ("lifecycle", "pack", "docker", "buildah", "cluster")


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `build` to the verbs."""
    parser = verbs.add_parser("build", help="make an image of a model's folder, without a Dockerfile of yours")
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder with the model")
    parser.add_argument("-t", "--tag", metavar="IMAGE", required=True, help="the image's name, [REGISTRY/]NAME[:TAG]")
    parser.add_argument("--push", action="store_true", help="push it to the registry that IMAGE names")
    parser.add_argument(
        "--engine", choices=_ENGINES, help="what to build by; by default the first of these that is here"
    )
    parser.add_argument("--in-cluster", action="store_true", help="build in the cluster: the same as --engine cluster")
    add_options(parser)
    parser.add_argument("--base", metavar="IMAGE", default="", help="for a Dockerfile: the image to stand on")
    parser.add_argument(
        "--build-base", metavar="IMAGE", default="", help="for a Dockerfile: the image to install in, by default --base"
    )
    parser.add_argument(
        "--wheel", metavar="FILE", type=Path, help="for a Dockerfile: install this wheel of modelwright's"
    )
    parser.add_argument("--no-cache", action="store_true", help="take nothing over from an earlier build")
    parser.add_argument("--verbose", action="store_true", help="show every line of the tools'")
    parser.add_argument("--log", metavar="FILE", type=Path, help="where the whole log goes, by default into the cache")
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `build` and `deploy` share."""
    parser.add_argument(
        "--builder", metavar="IMAGE", default=os.environ.get("MODELWRIGHT_BUILDER", ""),
        help="the builder's image, by default MODELWRIGHT_BUILDER's",
    )  # fmt: skip
    parser.add_argument(
        "--run-image", metavar="IMAGE", default="", help="what to stand on, by default the builder's own"
    )
    parser.add_argument("--with-weights", action="store_true", help="put files that are weights into the image too")
    parser.add_argument(
        "--env",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a variable of the build; NAME alone takes yours",
    )
    parser.add_argument("--namespace", "-n", metavar="NS", help="for the cluster: where to, by default the context's")
    parser.add_argument("--context", metavar="NAME", help="for the cluster: the kubeconfig's context")
    parser.add_argument(
        "--service-account", metavar="NAME", default="", help="for the cluster: whose registry logins to use"
    )
    parser.add_argument(
        "--ca-bundle", metavar="CONFIGMAP", default="", help="for the cluster: certificates to build by (cabundle.crt)"
    )


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Build and print the report; raises CommandError where that cannot be."""
    if rest:
        raise CommandError(f"build has no {rest[0]}: see modelwright build --help")
    # Other verbs do without these.
    from modelwright.images.build import build  # noqa: PLC0415
    from modelwright.images.errors import ImageError  # noqa: PLC0415

    try:
        engine = "cluster" if arguments.in_cluster else arguments.engine or ""
        made = build(
            order(arguments, push=arguments.push or engine == "cluster"),
            engine=engine,
            cluster=_cluster(arguments) if engine == "cluster" else None,
            log=arguments.log,
            say=say,
            verbose=arguments.verbose,
        )
    except ImageError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or arguments.folder}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        say(f"interrupted; {arguments.tag or 'the tag'} is as it was")
        return INTERRUPTED
    sys.stdout.write("".join(f"{line}\n" for line in made.lines()))
    return 0


def say(line: str) -> None:
    """Show a line of progress."""
    sys.stderr.write(f"modelwright: {line}\n")
    sys.stderr.flush()


def order(arguments: argparse.Namespace, *, push: bool) -> Order:
    """Read what is to be built from the command line. Raises ImageError."""
    from modelwright.images import reference  # noqa: PLC0415
    from modelwright.images.order import Order  # noqa: PLC0415

    return Order(
        arguments.folder.resolve(),
        reference.pushable(arguments.tag) if push else reference.parse(arguments.tag),
        push=push,
        builder=arguments.builder,
        run_image=arguments.run_image,
        base=arguments.base,
        build_base=arguments.build_base,
        wheel=arguments.wheel,
        with_weights=arguments.with_weights,
        environment=variables(arguments.env),
        fresh=arguments.no_cache,
    )


def variables(given: Sequence[str]) -> dict[str, str]:
    """Read `--env`; raises CommandError for what is none."""
    return dict(_variable(text) for text in given)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.isidentifier():
        raise CommandError(f"--env {name!r} is no NAME=VALUE: a name has letters, digits and '_'")
    if not equals and name not in os.environ:
        raise CommandError(f"--env {name}: there is no such variable here, so write --env {name}=VALUE")
    return name, value if equals else os.environ[name]


def _cluster(arguments: argparse.Namespace) -> Engine:
    from modelwright.images.engines.cluster import Cluster  # noqa: PLC0415

    return Cluster(
        arguments.context,
        arguments.namespace,
        account=arguments.service_account,
        ca_bundle=arguments.ca_bundle,
    )
