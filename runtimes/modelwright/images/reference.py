"""An image's name, read as docker reads it: `[HOST/]REPOSITORY[:TAG][@DIGEST]`.

Source: github.com/distribution/reference, whose rule for the host is: it holds a dot or a colon, or is `localhost`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from modelwright.images.errors import ImageError
from modelwright.sources.reference import speaks_plain_http

_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """`host` is empty where the name has none; `tag` is `latest` where there is neither a tag nor a digest."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        ending = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.name}{ending}"

    @property
    def name(self) -> str:
        """The host and the repository."""
        return f"{self.host}/{self.repository}" if self.host else self.repository

    @property
    def version(self) -> str:
        """What the distribution API asks for: the digest, else the tag."""
        return self.digest or self.tag

    @property
    def plain_http(self) -> bool:
        """Whether the registry is spoken to by plain HTTP, as the cluster's builds do too."""
        return speaks_plain_http(self.host)

    def at(self, digest: str) -> Reference:
        """Give the same repository by digest."""
        return replace(self, digest=digest, tag="")

    def tagged(self, tag: str) -> Reference:
        """Give the same repository by another tag."""
        return replace(self, digest="", tag=tag)


def parse(text: str) -> Reference:
    """Read a name.

    Raises:
        ImageError: it is none.

    """
    rest, _, digest = text.partition("@")
    first, slash, remainder = rest.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, path = (first, remainder) if has_host else ("", rest)
    repository, colon, tag = path.rpartition(":") if ":" in path else (path, "", "")
    if digest and not _DIGEST.fullmatch(digest):
        raise _wrong(text, "behind '@' it needs sha256: and 64 hexadecimal digits")
    if has_host and not _HOST.fullmatch(host):
        raise _wrong(text, f"{host!r} is no host")
    if not _REPOSITORY.fullmatch(repository):
        raise _wrong(text, f"{repository!r} needs lower-case letters, digits and single . _ - between them")
    if colon and not _TAG.fullmatch(tag):
        raise _wrong(text, f"the tag {tag!r} needs letters, digits, . _ and -, 128 at most")
    return Reference(host, repository, tag or ("" if digest else "latest"), digest)


def pushable(text: str) -> Reference:
    """Read a name that something is to be pushed to; ImageError where it is no tag in a registry that it names."""
    reference = parse(text)
    if not reference.host:
        raise ImageError(
            f"{text!r} names no registry, and pushing needs one: write it as REGISTRY/{reference.repository}:"
            f"{reference.tag or 'TAG'}, such as registry.example.com/{reference.repository}:{reference.tag or '1'}"
        )
    if reference.digest:
        raise ImageError(f"{text!r} is a digest, which nothing can be pushed to: name a tag, {reference.name}:TAG")
    return reference


def _wrong(text: str, why: str) -> ImageError:
    return ImageError(f"{text!r} is no image's name: {why}; it is written [REGISTRY/]NAME[:TAG]")
