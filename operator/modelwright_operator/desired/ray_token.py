"""The Secret with the token without which nobody speaks to an InferenceService's Ray."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.subject import Subject

TOKEN_KEY = "token"  # noqa: S105 - the key's name


def token_name(subject: Subject) -> str:
    """Return the Secret's name: of this very InferenceService, so that one made anew never meets its predecessor's."""
    return f"{subject.name}-ray-{subject.isvc.metadata.uid[:8]}"


def token_secret(subject: Subject, token: str) -> dict[str, Any]:
    """Return the Secret; it is created once and never read, changed or removed, but collected with its owner."""
    metadata = subject.object_metadata(token_name(subject))
    metadata["labels"][labels.COMPONENT] = "ray-token"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "immutable": True,
        "stringData": {TOKEN_KEY: token},
    }
