"""Images' names as a ModelImage has them: whole ones."""

from modelwright.registry.reference import Reference
from modelwright.weights.errors import WeightsError


def parse(text: str) -> Reference:
    """Return the parts of an image reference. Raises `WeightsError` for one without a registry's host or malformed."""
    try:
        found = Reference.read(text)
    except ValueError as error:
        why = f"is not an image reference: {error}"
    else:
        if found.host:
            return found
        why = "is not a whole image reference"
    raise WeightsError(text, why, "Write it as host/repository:tag or host/repository@sha256:...")
