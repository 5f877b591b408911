"""The layer `uv-cache`: cached, never in the image.

Cached for what is dear to make again: wheels that were compiled here. Wheels that were merely downloaded are pruned
before it is kept, because restoring them with every build (three gigabytes for a torch model) costs more than fetching
them when dependencies change; and where nothing was compiled there is no such layer, since each build would unpack and
hash an index's listings for nothing. It is a layer and not /tmp so that it lies on the file system of `venv`, where uv
links files instead of copying them.
"""

from .context import Context
from .layers import Layer
from .uv import Uv

COMPILED = "sdists-v*/*/*"
"""Where uv keeps what it built, by its source: an index, a path, an address."""


def prepare(context: Context) -> Layer:
    """Return the cache as the last build left it."""
    layer = Layer(context.layers, "uv-cache", cache=True)
    layer.path.mkdir(parents=True, exist_ok=True)
    return layer


def keep(layer: Layer, uv: Uv) -> None:
    """Keep what was compiled, and drop what can be downloaded again."""
    if uv.ran:
        uv.run(["cache", "prune", "--ci", "--quiet"], source="the cache")
    if any(layer.path.glob(COMPILED)):
        layer.keep({})
