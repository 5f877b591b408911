"""What the reconciler read for an InferenceService besides the object itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwright_operator.desired.images import BuiltImage


@dataclass(frozen=True)
class Inputs:
    """Facts from other objects that shape the children; each is None where it does not exist or was not read."""

    service_account: Mapping[str, Any] | None = None
    """The ServiceAccount that the pods run as (`default` where none is named)."""

    secret_annotations: Mapping[str, str] | None = None
    """Annotations of the Secret that `serving.kserve.io/storageSecretName` names; never its data."""

    images: Mapping[str, BuiltImage | None] = field(default_factory=dict)
    """What images by name (`modelimage://NAME`) stand for; None for an object that does not exist."""
