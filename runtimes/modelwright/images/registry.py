"""Registries for a person at a terminal: with the logins of this machine, refusals as ImageError."""

from __future__ import annotations

from typing import Final

from modelwright.images import credentials
from modelwright.images.errors import ImageError
from modelwright.registry.caller import OTHER, SILENT, Caller
from modelwright.registry.client import Registry

_REMEDIES: Final = {
    401: "Log in: docker login {host}",
    403: "Log in to {host} as somebody who may, or name a repository of your own.",
    404: "Check the spelling, or create the repository there.",
    429: "Log in to {host}, or try again later.",
    SILENT: "Check its name, that it runs, and HTTPS_PROXY and NO_PROXY where a proxy is between.",
    OTHER: "Its own logs say more.",
}


def registry() -> Registry:
    """Give the registries as this machine's user sees them."""
    return Registry(Caller(credentials.login, _failure, _REMEDIES))


def _failure(what: str, reason: str, remedy: str) -> ImageError:
    return ImageError(f"{what}: {reason}. {remedy}")
