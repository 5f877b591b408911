"""`python -m buildpacks.build DIR IMAGE`: `modelwright build --push` with this tree's builder, once for one content."""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelwright.images import build as engines
from modelwright.images import content
from modelwright.images.errors import ImageError
from modelwright.images.order import Order
from modelwright.images.reference import pushable

from . import registry
from .builder.create import builder
from .engine import EXPLAINED, environment

SETTINGS = ("BP_UV_EXTRAS", "BP_MODELWRIGHT_SERVER")
"""Those of our buildpack, which make another image of the same folder."""


@dataclass(frozen=True)
class Result:
    """What a build came to. `built` is false where the registry had the image; `size` is in compressed bytes."""

    image: str
    digest: str
    built: bool
    seconds: float
    size: int


def build(folder: Path, image: str, *, fresh: bool = False, log: Path | None = None) -> Result:
    """Build `folder` into `image` and push it, unless the registry has this content built by this builder.

    `fresh` builds in any case, with nothing taken over from an earlier build; `log` takes the phases' output. Raises
    ImageError.
    """
    started = time.monotonic()
    with_builder = builder()
    tag = pushable(image)
    known = tag.tagged(f"content-{_key(folder, with_builder)}")
    found = None if fresh else registry.digest(str(known))
    built = found is None
    if found is None:
        settings = {name: os.environ[name] for name in SETTINGS if name in os.environ}
        order = Order(
            folder, tag, push=True, builder=with_builder, environment=settings, fresh=fresh, also=(known,)
        )  # fmt: skip
        with _daemon():
            found = engines.build(order, engine="lifecycle", log=log, say=_say, verbose=log is None).digest
    elif registry.digest(image) != found:
        registry.tag(str(known), image)
    if not found:
        raise ImageError(f"the lifecycle pushed {tag}, but the registry does not have it; is it out of disk space?")
    size = sum(int(layer["size"]) for layer in registry.image(str(known))["layers"])
    return Result(image, found, built, time.monotonic() - started, size)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _daemon() -> Iterator[None]:
    """Let the engine find the test cluster's Docker as it would find a machine's own."""
    ours = environment()
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _key(folder: Path, with_builder: str) -> str:
    # The registry's own name is left out: an image is the same wherever it is pushed.
    parts = [
        content.digest(folder, ignored=content.LEFT_OUT),
        with_builder.rpartition(":")[2],
        *(os.environ.get(name, "") for name in SETTINGS),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def main(arguments: Sequence[str]) -> int:
    """Build one folder and print one line about it; 1 and the reason on failure."""
    parser = argparse.ArgumentParser(prog="python -m buildpacks.build", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with the model")
    parser.add_argument("image", help="where to push it, such as localhost:5000/modelwright/iris:dev")
    parser.add_argument("--log", type=Path, help="write the phases' output to this file")
    parser.add_argument("--fresh", action="store_true", help="build as if for the first time")
    options = parser.parse_args(arguments)
    try:
        result = build(options.folder.resolve(), options.image, fresh=options.fresh, log=options.log)
    except EXPLAINED as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    did = "built and pushed" if result.built else "unchanged"
    print(f"{result.image}: {did} in {result.seconds:.1f} s, {result.size / 1e6:.0f} MB compressed, {result.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
