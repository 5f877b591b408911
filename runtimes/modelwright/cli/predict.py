"""`modelwright predict [FILE]`: requests to a running server, their answers on stdout."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

    from modelwright.authoring.asking.given import Answer, Given
    from modelwright.authoring.asking.over_grpc import OverGrpc
    from modelwright.authoring.asking.rest import OverRest

REFUSED: Final = 1
UNREACHABLE: Final = 3
_URL: Final = "http://127.0.0.1:8080"
_GRPC_URL: Final = "grpc://127.0.0.1:8081"
_EPILOG: Final = (
    "exit status: 0 answered; 1 the server refused; 2 a mistake in what was asked; 3 nobody answers there. "
    "A bare JSON list becomes V1's instances or the tensor that the model declares as its only input; an image becomes "
    "what the model declares, or base64 in V1."
)


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `predict` to the verbs."""
    parser = verbs.add_parser("predict", help="ask a running model server for a prediction", epilog=_EPILOG)
    parser.add_argument("file", nargs="?", metavar="FILE", help="JSON, PNG or JPEG, .jsonl for several; - for stdin")
    parser.add_argument("--data", metavar="JSON", help="the request itself, in the place of FILE")
    parser.add_argument("--url", help=f"the server's address, default {_URL}, for gRPC {_GRPC_URL}")
    parser.add_argument("--host", help="Host header, by which an ingress or a gateway chooses the service")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="a further header")
    parser.add_argument("--model", "-m", help="the model's name; not needed where the server has only one")
    parser.add_argument("--protocol", choices=("v1", "v2", "grpc"), help="default: as the request is written")
    parser.add_argument(
        "--as", dest="form", choices=("v1-b64", "bytes", "pixels"), help="how an image is sent; default: as declared"
    )
    parser.add_argument("--input", metavar="NAME", help="the input, or V1's key, that takes the image")
    parser.add_argument(
        "--repeat", type=_count, default=1, metavar="N", help="ask N times and tell the times on stderr"
    )
    parser.add_argument("--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="for one answer, default 60")
    parser.add_argument("--ca", metavar="FILE", help="authorities to trust, for https and grpcs")
    parser.add_argument("--output", "-o", metavar="FILE", help="write the answer there instead of to stdout")
    parser.add_argument("--raw", action="store_true", help="write the answer's bytes as they came")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Ask, and return the exit status; raises CommandError for a mistake in what was asked."""
    if rest:
        raise CommandError(f"predict has no {rest[0]}: see modelwright predict --help")
    # The parser of every verb is built for each of them; what asks is not.
    from modelwright.authoring.errors import Mistake, Unreachable  # noqa: PLC0415

    try:
        return _ask(_asker(arguments), list(_given(arguments)), arguments)
    except Mistake as error:
        raise CommandError(str(error)) from None
    except Unreachable as error:
        sys.stderr.write(f"modelwright: {error}\n")
        return UNREACHABLE
    except KeyboardInterrupt:
        return 130


def _ask(asker: OverRest | OverGrpc, requests: list[Given], arguments: argparse.Namespace) -> int:
    from modelwright.authoring.asking.waiting import Waiting  # noqa: PLC0415
    from modelwright.authoring.errors import Refused  # noqa: PLC0415

    took: list[float] = []
    status, several, total = 0, len(requests) > 1, len(requests) * arguments.repeat
    output = Path(arguments.output).open("wb") if arguments.output else sys.stdout.buffer  # noqa: SIM115 - or stdout
    with Waiting(f"waiting for {arguments.model or 'the model'}", total) as waiting:
        for given in requests:
            prepared: Any = asker.prepare(given)
            for turn in range(arguments.repeat):
                begun = time.perf_counter()
                try:
                    answer = asker.ask(prepared)
                except Refused as refusal:
                    sys.stderr.write(f"modelwright: {f'{given.source}: ' if several else ''}{refusal}\n")
                    status = REFUSED
                    break
                finally:
                    took.append(time.perf_counter() - begun)
                    waiting.step()
                if turn == 0:
                    output.write(_written(answer, raw=arguments.raw))
                    output.flush()
    if output is not sys.stdout.buffer:
        output.close()
    if total > 1:
        sys.stderr.write(_times(took))
    return status


def _written(answer: Answer, *, raw: bool) -> bytes:
    """Give the answer on one line, so that several are JSON lines."""
    if raw:
        return answer.body
    import json  # noqa: PLC0415 - other verbs do without it

    try:
        return json.dumps(json.loads(answer.body), ensure_ascii=False).encode() + b"\n"
    except ValueError:
        raise CommandError(
            f"the answer is {answer.content_type or 'of no type'}, {len(answer.body)} bytes, and no JSON: "
            "take it as it is with --raw"
        ) from None


def _times(took: Sequence[float]) -> str:
    ordered = sorted(took)
    named = (("min", ordered[0]), ("median", ordered[len(took) // 2]), ("max", ordered[-1]))
    return f"{len(took)} requests, milliseconds: {', '.join(f'{name} {1000 * each:.1f}' for name, each in named)}\n"


def _given(arguments: argparse.Namespace) -> Sequence[Given]:
    from modelwright.authoring.asking import given  # noqa: PLC0415

    if arguments.data is not None:
        if arguments.file:
            raise CommandError("there are both FILE and --data: give one of them")
        return list(given.from_text(arguments.data.encode(), "--data"))
    if arguments.file and arguments.file != "-":
        return list(given.from_file(Path(arguments.file)))
    if not arguments.file and sys.stdin.isatty():
        raise CommandError("name a FILE with the request, or give --data JSON, or pipe it in")
    return list(given.from_text(sys.stdin.buffer.read(), "stdin"))


def _asker(arguments: argparse.Namespace) -> OverRest | OverGrpc:
    headers = dict(_header(text) for text in arguments.header)
    if arguments.host:
        headers["Host"] = arguments.host
    common = {"form": arguments.form, "key": arguments.input}
    if arguments.protocol == "grpc" or (arguments.url or "").startswith(("grpc://", "grpcs://")):
        # grpc takes a while to import.
        from modelwright.authoring.asking.over_grpc import OverGrpc  # noqa: PLC0415

        url = arguments.url or _GRPC_URL
        if arguments.form == "v1-b64" or arguments.protocol in ("v1", "v2"):
            raise CommandError("gRPC has no V1 and no REST: leave --protocol out, and --as v1-b64")
        return OverGrpc(url, arguments.model, headers, arguments.timeout, arguments.ca, **common)
    from modelwright.authoring.asking.endpoint import Endpoint  # noqa: PLC0415
    from modelwright.authoring.asking.rest import OverRest  # noqa: PLC0415

    endpoint = Endpoint(arguments.url or _URL, headers, arguments.timeout, arguments.ca)
    return OverRest(endpoint, arguments.model, arguments.protocol, **common)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise CommandError(f"--header {name!r} must be NAME:VALUE, for example --header 'x-tenant: blue'")
    return name.strip(), value.strip()


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value
