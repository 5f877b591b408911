"""The storage initializer: fetches a model's files from a URI into the folder that the server mounts.

It runs as `python -m modelwright.weights URI TARGET` in an init container, as any UID with a read-only root.
One module per URI scheme; what they share is here too: planning, transfer, archives, checks, progress.
"""

from modelwright.weights.errors import WeightsError
from modelwright.weights.fetch import fetch

__all__ = ["WeightsError", "fetch"]
