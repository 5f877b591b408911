"""Image references: which registry, which repository, and by which tag or digest."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from modelwright.weights.errors import WeightsError

_REFERENCE = re.compile(
    r"^(?P<host>[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """One image: `tag` is empty only where there is a digest."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest, else the tag."""
        return self.digest or self.tag

    def at(self, digest: str) -> str:
        """Return the reference of this repository at a digest."""
        return str(replace(self, tag="", digest=digest))

    def scheme(self, insecure: Collection[str] = ()) -> str:
        """Return http or https; `insecure` are hosts that speak plain HTTP beside those that always do."""
        return "http" if speaks_plain_http(self.host) or self.host in insecure else "https"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def speaks_plain_http(host: str) -> bool:
    """Say whether pack and the lifecycle speak plain HTTP to a registry: one of this machine or a private address."""
    name = re.sub(r":\d+$", "", host).strip("[]")
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return name == "localhost" or name.endswith((".localhost", ".local"))


def parse(text: str) -> Reference:
    """Return the parts of an image reference. Raises `WeightsError` for one without a registry's host or malformed."""
    found = _REFERENCE.match(text)
    host = found["host"] if found else ""
    if not found or not ({".", ":"} & set(host) or host == "localhost"):
        raise WeightsError(
            text, "is not a whole image reference", "Write it as host/repository:tag or host/repository@sha256:..."
        )
    digest = found["digest"] or ""
    return Reference(host, found["repository"], found["tag"] or ("" if digest else "latest"), digest)
