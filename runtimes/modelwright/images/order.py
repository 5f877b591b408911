"""What is to be built, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from modelwright.images.errors import ImageError
from modelwright.registry.reference import Reference

CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian, and with it most images with a Python, has its CA bundle."""

_PASSED_ON: Final = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_HTTP_TIMEOUT",
)  # fmt: skip
WITH_WEIGHTS: Final = "BP_MODELWRIGHT_WITH_WEIGHTS"
"""The buildpack's own switch for files that are weights."""

Lines = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be built; `environment` is the build's own, beside what this process has of proxies and indexes.

    `builder` is a builder image, `run_image` what its images stand on where that is not the builder's own; `base` and
    `build_base` are the images that a generated Dockerfile stands on; `wheel` is a wheel of Modelwright's, where it is
    not to come from the package index. `fresh` takes nothing over from an earlier build; `also` are further tags that
    are written with the first.
    """

    folder: Path
    tag: Reference
    push: bool = False
    builder: str = ""
    run_image: str = ""
    base: str = ""
    build_base: str = ""
    wheel: Path | None = None
    with_weights: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    also: tuple[Reference, ...] = ()

    def build_environment(self) -> dict[str, str]:
        """Give the variables that a build gets."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed, **self.for_a_cluster()}

    def for_a_cluster(self) -> dict[str, str]:
        """Give the variables of a build that runs elsewhere: this machine's proxies are none of its."""
        weights = {WITH_WEIGHTS: "true"} if self.with_weights else {}
        return {**weights, **self.environment}


class Engine(Protocol):
    """One way to build an image."""

    @property
    def name(self) -> str:
        """What `--engine` calls it."""

    @property
    def what(self) -> str:
        """Say in a few words how it builds."""

    def unfit(self, order: Order) -> str | None:
        """Say why it cannot build this here, and what to install or give; None where it can."""

    def build(self, order: Order, each: Lines) -> str:
        """Build, and push where that is ordered; give the image's digest, empty where nothing was pushed.

        `each` takes the tools' lines. Until it returns the tag is as it was before. Raises ImageError.
        """


def host_certificates() -> Path | None:
    """Find this machine's CA bundle where it was named, for an egress that signs TLS with a CA of its own.

    Raises:
        ImageError: SSL_CERT_FILE names no file.

    """
    named = os.environ.get("SSL_CERT_FILE")
    if not named:
        return None
    bundle = Path(named)
    if not bundle.is_file():
        raise ImageError(f"SSL_CERT_FILE is {named}, which is no file: correct or unset it")
    return bundle.resolve()
