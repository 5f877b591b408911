"""`python -m modelwright.sources resolve|fetch`: the first containers of a ModelImage's Jobs."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from modelwright.registry.client import Registry
from modelwright.sources import builder, logins, workspace
from modelwright.sources.registry import registry
from modelwright.weights.errors import WeightsError, redact

log = logging.getLogger("modelwright.sources")

BUILD_ENV = "MODELWRIGHT_BUILD_ENV_"
"""Prefix of variables that become files below /platform/env: the buildpacks' environment, of this process no part."""
_MESSAGE_MAX = 2048
"""Characters of a failure; Kubernetes keeps 4096 bytes, shared by all containers of the pod."""


def main(arguments: list[str] | None = None) -> int:
    """Do one step and return the exit code: 0 done, 1 failed for the reason that is told."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    # As the container's first process we get no default action for SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    os.umask(0o022)
    try:
        _check_certificates()
        registries = registry(logins.merged(options.pull_secrets), tuple(options.insecure_registry))
        source = workspace.read(options.source)
        if options.step == "resolve":
            _tell(options.message, json.dumps(_resolved(options, source, registries), sort_keys=True))
        else:
            _fetch(options, registries)
    except WeightsError as error:
        return _failed(options.message, str(error))
    except Exception as error:
        # A bug of ours or of a client: its traceback could hold a signed URL, so only its text is shown.
        return _failed(options.message, redact(f"{type(error).__name__}: {error}"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m modelwright.sources", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    resolve = steps.add_parser("resolve", help="say what source and builder are now")
    resolve.add_argument("--builder", required=True, help="the builder image")
    resolve.add_argument("--run-image", help="the run image; the builder's own where none is named")
    fetch = steps.add_parser("fetch", help="fill the workspace")
    fetch.add_argument("--pinned", required=True, help="the source as `resolve` has told it")
    fetch.add_argument("--workspace", type=Path, default=Path("/workspace"))
    fetch.add_argument("--platform", type=Path, default=Path("/platform"), help="gets env/ for the buildpacks")
    fetch.add_argument("--docker-config", type=Path, required=True, help="file to write the registry logins to")
    for step in (resolve, fetch):
        step.add_argument("--source", required=True, help="spec.source of the ModelImage, as JSON")
        step.add_argument("--pull-secrets", type=Path, default=Path("/var/run/modelwright/pull-secrets"))
        step.add_argument("--insecure-registry", action="append", default=[], metavar="HOST")
        step.add_argument("--message", type=Path, default=Path("/dev/termination-log"))
    return parser


def _check_certificates() -> None:
    named = os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).is_file():
        raise WeightsError(
            named,
            "the certificates are not there",
            "Create the ConfigMap of spec.build.caBundle, with them as cabundle.crt.",
        )


def _resolved(options: argparse.Namespace, source: Mapping[str, object], registry: Registry) -> dict[str, object]:
    pinned = workspace.resolve(source, os.environ, registry, Path("/tmp"))  # noqa: S108 - a volume of its own
    found = builder.resolve(options.builder, options.run_image, registry, workspace.architecture())
    return {"source": pinned, **found.facts()}


def _fetch(options: argparse.Namespace, registry: Registry) -> None:
    source = workspace.read(options.source)
    files = workspace.fill(source, options.pinned, os.environ, registry, options.workspace)
    folder = options.platform / "env"
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in os.environ.items():
        if name.startswith(BUILD_ENV):
            (folder / name.removeprefix(BUILD_ENV)).write_text(value)
    logins.write(options.pull_secrets, options.docker_config)
    log.info("%d files of %s in %s", files, options.pinned, options.workspace)


def _failed(message: Path, text: str) -> int:
    log.error(text)
    _tell(
        message, text if len(text) <= _MESSAGE_MAX else f"{text[: _MESSAGE_MAX // 2]} ... {text[-_MESSAGE_MAX // 2 :]}"
    )
    return 1


def _tell(message: Path, text: str) -> None:
    if not message.exists():
        sys.stdout.write(text + "\n")
        return
    try:
        message.write_text(text)
    except OSError as error:
        log.warning("%s: %s", message, error.strerror)


if __name__ == "__main__":
    sys.exit(main())
