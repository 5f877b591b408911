"""`python -m buildpacks.build DIR IMAGE`: `pack build` with our builder, and nothing at all for an unchanged folder."""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries

from . import content, registry
from .builder.create import builder
from .command import ImageError, stream
from .engine import EXPLAINED, environment

IGNORED = ("__pycache__", ".git", ".venv")
"""What the buildpack deletes or never reads: it must not cost a rebuild."""

SETTINGS = ("BP_UV_EXTRAS", "BP_MODELWRIGHT_SERVER")
"""Those of our buildpack, which make another image of the same folder."""

PASSED_ON = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_HTTP_TIMEOUT", *SETTINGS,
)  # fmt: skip
"""Variables of the caller that a build gets if they are set. By name only, so that no value shows in a process list."""

VOLUME_KEY = "modelwright"
"""Where pack finds no home of its own (in a container) it would name the cache of every build differently."""

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Result:
    """What a build came to. `built` is false where the registry had the image; `size` is in compressed bytes."""

    image: str
    digest: str
    built: bool
    seconds: float
    size: int


def build(folder: Path, image: str, *, fresh: bool = False, log: Path | None = None) -> Result:
    """Build `folder` into `image` and push it, unless the registry has this content built by this builder.

    `fresh` builds in any case, with nothing taken over from an earlier build; `log` takes pack's output instead of the
    terminal. Raises ImageError.
    """
    started = time.monotonic()
    with_builder = builder()
    known = f"{image.rpartition(':')[0]}:content-{_key(folder, with_builder)}"
    found = None if fresh else registry.digest(known)
    if found is None:
        pack = binaries.ensure("pack") / "pack"
        command = [str(pack), *_arguments(folder, image, with_builder), "--tag", known]
        command += ["--clear-cache"] if fresh else []
        stream(command, environment=environment() | {"PACK_VOLUME_KEY": VOLUME_KEY}, log=log)
        found = registry.digest(known)
        built = True
    else:
        built = False
        if registry.digest(image) != found:
            registry.tag(known, image)
    if found is None:
        raise ImageError(f"pack pushed {known}, but the registry does not have it; is it out of disk space?")
    return Result(image, found, built, time.monotonic() - started, registry.size(known))


def _key(folder: Path, with_builder: str) -> str:
    # The registry's own name is left out: an image is the same wherever it is pushed.
    parts = [
        content.digest(folder, ignored=IGNORED),
        with_builder.rpartition(":")[2],
        *(os.environ.get(name, "") for name in SETTINGS),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _arguments(folder: Path, image: str, with_builder: str) -> list[str]:
    # --trust-builder: one container for all phases, the only mode that needs no lifecycle image from Docker Hub.
    # --network host: the registry and the package index are reached as this machine reaches them.
    arguments = ["build", image, "--path", str(folder), "--builder", with_builder, "--trust-builder", "--publish"]
    arguments += ["--network", "host", "--pull-policy", "always", "--no-color"]
    for name in PASSED_ON:
        if name in os.environ:
            arguments += ["--env", name]
    return [*arguments, *_host_certificates()]


def _host_certificates() -> list[str]:
    """Mount the host's CA bundle where the base image has its own, for an egress that signs TLS with a CA of its own.

    It is there while building and never in the image: only layers and the application's folder are exported.
    """
    bundle = Path(os.environ.get("SSL_CERT_FILE") or CA_BUNDLE)
    if not bundle.is_file():
        return []
    return ["--volume", f"{bundle.resolve()}:{CA_BUNDLE}:ro", "--env", f"SSL_CERT_FILE={CA_BUNDLE}"]


def main(arguments: Sequence[str]) -> int:
    """Build one folder and print one line about it; 1 and the reason on failure."""
    parser = argparse.ArgumentParser(prog="python -m buildpacks.build", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with the Procfile")
    parser.add_argument("image", help="where to push it, such as localhost:5000/modelwright/iris:dev")
    parser.add_argument("--log", type=Path, help="write pack's output to this file")
    parser.add_argument("--fresh", action="store_true", help="build as if for the first time")
    options = parser.parse_args(arguments)
    try:
        result = build(options.folder.resolve(), options.image, fresh=options.fresh, log=options.log)
    except EXPLAINED as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    did = "built and pushed" if result.built else "unchanged"
    print(f"{result.image}: {did} in {result.seconds:.1f} s, {result.size / 1e6:.0f} MB compressed, {result.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
