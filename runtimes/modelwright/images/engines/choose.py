"""Which engine builds: the one that was named, else the first that fits, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modelwright.images.engines.dockerfile import Buildah, Docker
from modelwright.images.engines.lifecycle import Lifecycle
from modelwright.images.engines.pack import Pack
from modelwright.images.errors import ImageError
from modelwright.images.order import Engine, Order

# In the order of preference: a builder's layers are cached and reproducible, a Dockerfile's are not; and pack takes
# longer than the lifecycle alone, since it makes and deletes an image and two volumes for each build.
LOCAL: Final[Sequence[Engine]] = (Lifecycle(), Pack(), Docker(), Buildah())


def choose(order: Order, wanted: str = "", cluster: Engine | None = None) -> tuple[Engine, str]:
    """Give the engine and the line that says why it is that one.

    `cluster` is the engine that asks a cluster, where one was named; it is never chosen unasked.

    Raises:
        ImageError: the engine that was named does not fit, or none does; the message says for each what to do.

    """
    if wanted:
        engine = next(each for each in (*LOCAL, cluster) if each is not None and each.name == wanted)
        if reason := engine.unfit(order):
            raise ImageError(f"--engine {wanted}: {reason}")
        return engine, f"{engine.name} ({engine.what}), as --engine says"
    passed: dict[str, list[str]] = {}
    for engine in LOCAL:
        reason = engine.unfit(order)
        if reason is None:
            why = "".join(f"\n  not {', '.join(names)}: {reason}" for reason, names in passed.items())
            return engine, f"{engine.name} ({engine.what}){why}"
        passed.setdefault(reason, []).append(engine.name)
    told = "".join(f"\n  {', '.join(names)}: {reason}" for reason, names in passed.items())
    raise ImageError(f"nothing here can build an image:{told}")
