"""One build from its order to its report, whichever engine does it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelwright.images import content, sizes
from modelwright.images.engines.choose import choose
from modelwright.images.errors import ImageError
from modelwright.images.order import Engine, Order
from modelwright.images.registry import registry
from modelwright.images.report import Report
from modelwright.images.tools import ToolFailed


@dataclass(frozen=True)
class Built:
    """What a build came to. `digest` is empty and `layers` are none where the image was not pushed."""

    image: str
    digest: str
    engine: str
    seconds: float
    report: Report
    layers: tuple[sizes.Layer, ...] = ()

    @property
    def size(self) -> int:
        """Compressed bytes, as a node without any of its layers pulls them."""
        return sum(each.size for each in self.layers)

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield from self.report.lines()
        yield from sizes.lines(self.layers)
        pushed = f" pushed, {self.digest}" if self.digest else ""
        yield f"{self.image}:{pushed} {self.seconds:.1f} s by {self.engine}"


def build(
    order: Order,
    *,
    engine: str = "",
    cluster: Engine | None = None,
    log: Path | None = None,
    say: Callable[[str], None],
    verbose: bool = False,
) -> Built:
    """Build, and push where that is ordered.

    `say` takes lines of progress, with `verbose` every line of the tools'; `log` takes all of these. Where it fails,
    the tag is as it was. Raises ImageError.
    """
    content.check(order.folder)
    for _ in content.files(order.folder, ignored=content.LEFT_OUT):
        pass  # A link that leads out of the folder is said before minutes are spent.
    chosen, why = choose(order, engine, cluster)
    say(f"engine: {why}")
    if order.push and chosen is not cluster:
        registry().may_push(order.tag)
    path = log or log_of(order)
    path.parent.mkdir(parents=True, exist_ok=True)
    report, began = Report(), time.monotonic()
    with path.open("w", encoding="utf-8") as written:

        def each(line: str) -> None:
            written.write(f"{line}\n")
            written.flush()
            word = report.read(line, time.monotonic())
            if verbose:
                say(line)
            elif word:
                say(f"{time.monotonic() - began:6.1f} s  {word}")

        try:
            digest = chosen.build(order, each)
        except ToolFailed as error:
            explained = report.explanation()
            what = f"the build failed: {explained}" if explained else str(error)
            raise ImageError(f"{what}\nthe whole log is {path}; {order.tag} is as it was") from None
    report.finish(time.monotonic())
    return Built(str(order.tag), digest, chosen.name, time.monotonic() - began, report, _layers(order, digest))


def log_of(order: Order) -> Path:
    """Name the file that a build's whole log goes to."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "modelwright" / "build-logs" / (re.sub(r"[^\w.-]+", "-", str(order.tag)) + ".log")


def _layers(order: Order, digest: str) -> tuple[sizes.Layer, ...]:
    if not digest:
        return ()
    asked, image = registry(), order.tag.at(digest)
    manifest = asked.image(image)
    return tuple(sizes.layers(manifest, asked.config(image, manifest)))
