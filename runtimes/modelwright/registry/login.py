"""A registry's login, as docker's config.json and image pull secrets have it. No value of it is ever printed.

Sources: docs.docker.com/reference/cli/docker/login (auths) and containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password; or a token alone, which stands for a login and is exchanged for a short-lived one."""

    user: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def of(config: Mapping[str, Any], host: str) -> Login | None:
    """Return the login of a registry in the `auths` of a docker config, None where it has none.

    Raises ValueError where `auth` is not base64 of USER:PASSWORD.
    """
    named = (entry for name, entry in (config.get("auths") or {}).items() if _host(name) == host)
    entry = next((each for each in named if isinstance(each, Mapping)), {})
    if entry.get("auth"):
        return _decoded(str(entry["auth"]), host)
    if entry.get("username"):
        return Login(str(entry["username"]), str(entry.get("password") or ""))
    return None


def _host(name: str) -> str:
    """Return the host of a key of `auths`, which is an address in files of old."""
    return name.rpartition("://")[2].partition("/")[0]


def _decoded(auth: str, host: str) -> Login:
    try:
        user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon, user, password = "", "", ""
    if not colon:
        raise ValueError(f"auths[{host!r}].auth is not base64 of USER:PASSWORD")
    return Login(user, password.rstrip("\0"))
