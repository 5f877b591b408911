"""An image's name, read as docker reads it: `[HOST/]REPOSITORY[:TAG][@DIGEST]`.

Source: github.com/distribution/reference, whose rule for the host is: it holds a dot or a colon, or is `localhost`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One image: by its digest, else by its tag. `host` is empty where the name has none."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def read(cls, text: str) -> Reference:
        """Read a name.

        The tag is `latest` where there is neither a tag nor a digest. Beside a digest it names nothing, and buildah and
        podman refuse both together: it is left out. Raises ValueError, with what is wrong with the name.
        """
        rest, at, digest = text.partition("@")
        first, slash, remainder = rest.partition("/")
        has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, path = (first, remainder) if has_host else ("", rest)
        repository, colon, tag = path.rpartition(":") if ":" in path else (path, "", "")
        if at and not _DIGEST.fullmatch(digest):
            raise ValueError("behind '@' it needs sha256: and 64 hexadecimal digits")
        if has_host and not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is no host")
        if not _REPOSITORY.fullmatch(repository):
            raise ValueError(f"{repository!r} needs lower-case letters, digits and single . _ - between them")
        if colon and not _TAG.fullmatch(tag):
            raise ValueError(f"the tag {tag!r} needs letters, digits, . _ and -, 128 at most")
        return cls(host, repository, digest=digest) if digest else cls(host, repository, tag or "latest")

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def name(self) -> str:
        """The host and the repository."""
        return f"{self.host}/{self.repository}" if self.host else self.repository

    @property
    def version(self) -> str:
        """What the distribution API asks for: the digest, else the tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> Reference:
        """Return the same repository by digest."""
        return replace(self, digest=digest, tag="")

    def tagged(self, tag: str) -> Reference:
        """Return the same repository by a tag."""
        return replace(self, digest="", tag=tag)

    def plain_http(self, insecure: Collection[str] = ()) -> bool:
        """Say whether the registry is spoken to by plain HTTP, as pack and the lifecycle do.

        That is so for one of this machine or at a private address, and for the hosts in `insecure`.
        """
        if self.host in insecure:
            return True
        name = re.sub(r":\d+$", "", self.host).strip("[]")
        try:
            return ipaddress.ip_address(name).is_private
        except ValueError:
            return name == "localhost" or name.endswith((".localhost", ".local"))
