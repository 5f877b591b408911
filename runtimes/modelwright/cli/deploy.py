"""`modelwright deploy DIR`: from a folder to a URL and a first prediction, built in the cluster."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.cli.build import INTERRUPTED, add_options, say, variables
from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

    from modelwright.images.deploying.deployment import Deployment


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `deploy` to the verbs."""
    parser = verbs.add_parser(
        "deploy",
        help="from a folder to a URL: built in the cluster, served, and asked once",
        description="Uploads DIR to the registry of TAG, has the cluster build it (a ModelImage) and serve it (an "
        "InferenceService: DIR's isvc.yaml, if there is one, with this image in it), waits for both, and asks for a "
        "first prediction.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder with the model")
    parser.add_argument("-t", "--tag", metavar="IMAGE", help="the image to push, by default the one in DIR/isvc.yaml")
    parser.add_argument("--name", help="the service's name, by default isvc.yaml's, else the folder's")
    parser.add_argument(
        "--storage-uri", metavar="URI", default="", help="where the weights are: s3://, pvc://, https://"
    )
    parser.add_argument(
        "--push-to",
        metavar="HOST",
        default="",
        help="where this machine reaches the registry that the cluster calls TAG's",
    )
    parser.add_argument("--dry-run", action="store_true", help="change nothing: print the objects")
    parser.add_argument("--upload", action="store_true", help="with --dry-run: upload the folder, for others to apply")
    parser.add_argument("-o", "--output", choices=("yaml",), help="of --dry-run: YAML, which is what it prints anyway")
    add_options(parser)
    parser.add_argument("--ingress", metavar="URL", help="ask through this address, by the service's name in Host")
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="SECONDS", help="for each wait, default 1800")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Deploy; raises CommandError with the failing step's words and the remedy."""
    if rest:
        raise CommandError(f"deploy has no {rest[0]}: see modelwright deploy --help")
    if not arguments.dry_run and (arguments.output or arguments.upload):
        raise CommandError("-o and --upload belong to --dry-run: add it, or leave them out")
    from modelwright.images.errors import ImageError  # noqa: PLC0415 - other verbs do without it

    try:
        wanted = _wanted(arguments)
        if arguments.dry_run:
            sys.stdout.write(wanted.written(upload=arguments.upload))
            if not arguments.upload:
                say("nothing was uploaded: with --upload the source that this names is in the registry")
            return 0
        service = wanted.applied(say)
        sys.stdout.write(f"{service['status'].get('url', '')}\n")
        sys.stdout.flush()
        return _ask(arguments, wanted, service)
    except ImageError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or arguments.folder}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        say("interrupted; what the cluster was told already it goes on with: kubectl get modelimage,inferenceservice")
        return INTERRUPTED


def _wanted(arguments: argparse.Namespace) -> Deployment:
    from modelwright.images import reference  # noqa: PLC0415
    from modelwright.images.deploying import objects  # noqa: PLC0415
    from modelwright.images.deploying.deployment import Deployment  # noqa: PLC0415
    from modelwright.images.order import Order  # noqa: PLC0415

    folder = arguments.folder.resolve()
    given = objects.from_folder(folder)
    tag = arguments.tag or objects.image_of(given)
    if not tag:
        raise CommandError("name the image to push with -t REGISTRY/NAME:TAG: the folder's isvc.yaml has none")
    named = arguments.name or ((given or {}).get("metadata") or {}).get("name")
    called = objects.name(named or re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-"), "--name")
    order = Order(
        folder,
        reference.pushable(tag),
        push=True,
        builder=arguments.builder,
        run_image=arguments.run_image,
        with_weights=arguments.with_weights,
        environment=variables(arguments.env),
    )
    return Deployment(
        order,
        called,
        given,
        arguments.storage_uri,
        context=arguments.context,
        namespace=arguments.namespace,
        account=arguments.service_account,
        ca_bundle=arguments.ca_bundle,
        push_to=arguments.push_to,
        seconds=arguments.timeout,
    )


def _ask(arguments: argparse.Namespace, wanted: Deployment, service: dict[str, Any]) -> int:
    """Ask for a first prediction: through the service's URL, else through a port of a pod of its."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - other verbs do without these

    from modelwright.authoring.asking import first  # noqa: PLC0415
    from modelwright.authoring.errors import Mistake, Refused, Unreachable  # noqa: PLC0415

    url = service["status"].get("url") or ""
    host = {"Host": urlsplit(url).netloc} if arguments.ingress else {}
    try:
        try:
            answer = first.ask(arguments.ingress or url, host, wanted.order.folder, wanted.called)
        except Unreachable as error:
            if arguments.ingress:
                raise
            say(f"{error}; asking a pod through the API server instead")
            with wanted.forwarded() as address:
                answer = first.ask(address, {}, wanted.order.folder, wanted.called)
    except (Mistake, Refused, Unreachable) as error:
        raise CommandError(f"the service is ready, and its first prediction failed: {error}") from None
    sys.stdout.write(answer)
    return 0
