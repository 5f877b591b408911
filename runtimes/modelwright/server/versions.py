"""Versions: the server's own, and those that a model has."""

from modelwright.errors import ModelNotFound
from modelwright.model import Model, ModelMetadata


def of_version(model: Model, version: str | None) -> ModelMetadata:
    """Give the model's metadata, if it has the version that the path names.

    Raises:
        ModelNotFound: it has not.

    """
    described = model.metadata()
    if version is not None and version not in described.versions:
        known = ", ".join(described.versions) or "none"
        raise ModelNotFound(f"model {model.name!r} has no version {version!r}; its versions: {known}")
    return described


def version() -> str:
    """Give the installed distribution's version."""
    from importlib import metadata  # noqa: PLC0415 - it brings the email package, and most servers are never asked

    try:
        return metadata.version("modelwright")
    except metadata.PackageNotFoundError:
        return "unknown"
