"""`modelwright contract PATH|URL`: what the models take and give, as JSON, as OpenAPI and as a Python client."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

    from modelwright.authoring.asking.endpoint import Endpoint

_UNREACHABLE = 3


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `contract` to the verbs."""
    parser = verbs.add_parser(
        "contract",
        help="tell the inputs and outputs of models, as metadata, OpenAPI and a typed Python client",
        description="PATH is served for a moment, as modelwright serve would with the further arguments, and asked.",
    )
    parser.add_argument(
        "target", metavar="PATH|URL", help="what modelwright serve takes, or a running server's address"
    )
    parser.add_argument("--model", "-m", help="one model only")
    parser.add_argument("--openapi", metavar="FILE", help="write the server's OpenAPI document there")
    parser.add_argument("--client", metavar="FILE", help="write a typed Python client there")
    parser.add_argument("--host", help="Host header, by which an ingress or a gateway chooses the service")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for loading, default 120")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the metadata and write what was asked for; raises CommandError for a mistake in what was asked."""
    # Other verbs do without these.
    import json  # noqa: PLC0415

    from modelwright.authoring.contract import client, described  # noqa: PLC0415
    from modelwright.authoring.errors import Mistake, Unreachable  # noqa: PLC0415

    try:
        with _endpoint(arguments, rest) as endpoint:
            contract = described.describe(endpoint, arguments.model)
        if arguments.openapi:
            if contract.openapi is None:
                raise Mistake(f"{endpoint.url} has no /openapi.json: leave --openapi out")
            _write(arguments.openapi, json.dumps(contract.openapi, indent=2) + "\n")
        if arguments.client:
            _write(arguments.client, client.source(contract.models))
    except Mistake as error:
        raise CommandError(str(error)) from None
    except Unreachable as error:
        sys.stderr.write(f"modelwright: {error}\n")
        return _UNREACHABLE
    sys.stdout.write(json.dumps(described.as_document(contract), indent=2) + "\n")
    return 0


@contextmanager
def _endpoint(arguments: argparse.Namespace, rest: Sequence[str]) -> Iterator[Endpoint]:
    from modelwright.authoring.asking.endpoint import Endpoint  # noqa: PLC0415
    from modelwright.authoring.asking.waiting import Waiting  # noqa: PLC0415
    from modelwright.authoring.contract.local import served  # noqa: PLC0415

    target: str = arguments.target
    if target.startswith(("http://", "https://")):
        if rest:
            raise CommandError(f"contract has no {rest[0]}: a server that runs takes no further arguments")
        yield Endpoint(target, {"Host": arguments.host} if arguments.host else {}, 30.0)
        return
    with Waiting(f"loading {target}"), served(target, rest, arguments.timeout) as endpoint:
        yield endpoint


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
