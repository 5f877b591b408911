"""Images' names as people write them on a command line."""

from __future__ import annotations

from modelwright.images.errors import ImageError
from modelwright.registry.reference import Reference


def parse(text: str) -> Reference:
    """Read a name.

    Raises:
        ImageError: it is none.

    """
    try:
        return Reference.read(text)
    except ValueError as why:
        raise ImageError(f"{text!r} is no image's name: {why}; it is written [REGISTRY/]NAME[:TAG]") from None


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
