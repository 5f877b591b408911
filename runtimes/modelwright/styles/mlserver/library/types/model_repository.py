"""Where a model of a repository is in its life."""

from enum import Enum


class State(Enum):
    """A model's state."""

    UNKNOWN = "UNKNOWN"
    READY = "READY"
    UNAVAILABLE = "UNAVAILABLE"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
