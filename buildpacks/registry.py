"""What a registry already has, so that nothing is built twice."""

from typing import Any

from modelwright.images.reference import parse
from modelwright.images.registry import registry


def digest(reference: str) -> str | None:
    """Return the digest of an image, or None where the registry has no such tag. Raises ImageError where it is down."""
    return registry().digest(parse(reference))


def image(reference: str) -> dict[str, Any]:
    """Return the manifest of an image. Raises ImageError."""
    return registry().image(parse(reference))


def tag(existing: str, new: str) -> None:
    """Give an image a second tag in the same repository; nothing is copied."""
    registry().tag(parse(existing), parse(new).tag)
