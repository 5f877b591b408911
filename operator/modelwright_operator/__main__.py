"""`python -m modelwright_operator [--namespace NS ...]`: run the operator.

Settings are environment variables, documented in `modelwright_operator.settings`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from pydantic import ValidationError

from modelwright_operator import logs
from modelwright_operator.cluster.login import LoginError
from modelwright_operator.settings import Settings

OTHER_CLIENTS = ("kubernetes", "kubernetes_asyncio", "pykube")


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; return the exit status: 2 for unusable settings or credentials."""
    parser = argparse.ArgumentParser(prog="python -m modelwright_operator", description=__doc__)
    parser.add_argument(
        "--namespace", action="append", metavar="NS", help="serve this namespace only; repeat for several"
    )
    chosen = parser.parse_args(arguments).namespace
    try:
        settings = Settings(namespaces=tuple(chosen)) if chosen else Settings()
    except ValidationError as error:
        print(f"settings: {error}", file=sys.stderr)
        return 2
    logs.configure(settings)
    _hide_other_clients()
    from modelwright_operator import app  # noqa: PLC0415 - imports kopf

    try:
        asyncio.run(app.run(settings))
    except LoginError as error:
        print(f"login: {error}", file=sys.stderr)
        return 2
    return 0


def _hide_other_clients() -> None:
    """Keep kopf from importing Kubernetes clients that it would only log in with; one of them costs 19 MB.

    They may be installed: the image also holds the model server, whose dependencies they are.
    """
    for name in OTHER_CLIENTS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # import's own way to say "not there"


if __name__ == "__main__":
    sys.exit(main())
