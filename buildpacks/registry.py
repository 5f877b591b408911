"""What a registry already has, so that nothing is built twice."""

from modelwright.images.reference import parse
from modelwright.images.registry import Registry


def digest(reference: str) -> str | None:
    """Return the digest of an image, or None where the registry has no such tag. Raises ImageError where it is down."""
    return Registry(parse(reference)).digest()


def tag(existing: str, new: str) -> None:
    """Give an image a second tag in the same repository; nothing is copied."""
    Registry(parse(existing), pushing=True).tag(parse(new).tag)
