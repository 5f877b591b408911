"""One reason why nothing can be made of an InferenceService."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """The field, and what is wrong with the remedy."""

    field: str
    message: str
    reason: str = "InvalidSpec"
    """In one word."""
    blocking: bool = True
    """Whether waiting cannot help: somebody has to change something."""
