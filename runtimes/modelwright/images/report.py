"""A build's many lines as a few: what took how long, which layers are new, what was reused and why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_PHASE: Final = re.compile(r"^(?:\[\w+\] )?===> (?P<phase>[A-Z]+)$")
_LAYER: Final = re.compile(r"^(?:\[\w+\] )?(?P<did>Reusing|Adding) layer '(?P<layer>[^']+)'")
_APP: Final = re.compile(r"^(?:\[\w+\] )?(?P<did>Reused|Added|Reusing|Adding) (?P<count>\d+)/(?P<all>\d+) app layer")
_HEADING: Final = re.compile(r"^\[(?P<heading>[A-Z][a-z][A-Za-z ]+)\]$")
_STEP: Final = re.compile(r"^(?:\[\d+/\d+\] )?(?:STEP|Step) (?P<number>\d+/\d+) ?: (?P<instruction>.+)$")
# BuildKit's own form, where docker has it.
_VERTEX: Final = re.compile(r"^#\d+ \[(?:\S+ )?\d+/\d+\] (?P<instruction>.+)$")
_CACHED: Final = re.compile(r"^(?:\s*-+> Using cache|#\d+ CACHED)")
# What the buildpack says about its caches, which it says without indentation.
_DECISION: Final = re.compile(r"^(Reusing|Installing|Restoring|None is installed)\b")
_WIDTH: Final = 48
_FROM_CACHE: Final = "from the cache"
# Instructions that take time.
_SHOWN: Final = ("FROM", "RUN", "COPY")
_BRIEF: Final = 0.5  # seconds; a step that took less and says nothing is not worth a line
_ERROR: Final = re.compile(r"^(?:\[\w+\] )?\[Error: (?P<title>.+)\]$")


@dataclass
class Step:
    """A phase, a part of one, or an instruction of a Dockerfile; `ended` and `began` are monotonic seconds."""

    name: str
    began: float
    ended: float = 0.0
    depth: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(self.ended - self.began, 0.0)


@dataclass
class Report:
    """Reads a log line by line; `steps` are in their order, `new` and `reused` are layers of the image."""

    steps: list[Step] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    error: list[str] = field(default_factory=list)

    def read(self, line: str, now: float) -> str | None:
        """Take a line; give a short word of progress where a new step begins."""
        if self.error and not line.startswith("ERROR:"):
            self.error.append(line)
        if match := _PHASE.match(line):
            return self._begin(match["phase"].lower(), now, 0)
        if match := _STEP.match(line) or _VERTEX.match(line):
            word = self._begin(" ".join(match["instruction"].split())[:_WIDTH], now, 0)
            return word if word.startswith(_SHOWN) else None
        if match := _ERROR.match(line):
            self.error = [match["title"]]
        elif match := _HEADING.match(line):
            return self._begin(match["heading"].lower(), now, 1)
        elif match := _LAYER.match(line):
            (self.reused if match["did"] == "Reusing" else self.new).append(match["layer"])
        elif match := _APP.match(line):
            (self.reused if match["did"].startswith("Reus") else self.new).append("application")
        elif self.steps and _CACHED.match(line):
            self.steps[-1].notes.append(_FROM_CACHE)
        elif self.steps and self.steps[-1].depth and _DECISION.match(line):
            self.steps[-1].notes.append(line)
        return None

    def finish(self, now: float) -> None:
        """Say when the last step ended."""
        self._end(now, 0)

    def lines(self) -> Iterator[str]:
        """Yield the report, without sizes."""
        for step in self.steps:
            if step.seconds < _BRIEF and (not step.notes or (step.notes == [_FROM_CACHE] and step.name[:3] != "RUN")):
                continue
            name = "  " * step.depth + step.name
            yield f"{name:{_WIDTH}} {step.seconds:6.1f} s  {'; '.join(step.notes)}".rstrip()
        for named, layers in (("reused", self.reused), ("new", self.new)):
            if layers:
                yield f"layers {named}: {', '.join(sorted(set(layers)))}"

    def explanation(self) -> str:
        """Give the error that the buildpack worded, empty where it worded none."""
        title, *rest = self.error or [""]
        remedy = [line for line in rest if line and not line.startswith("ERROR")]
        return "\n".join([title, *remedy]) if title else ""

    def _begin(self, name: str, now: float, depth: int) -> str:
        self._end(now, depth)
        self.steps.append(Step(name, now, depth=depth))
        return name

    def _end(self, now: float, depth: int) -> None:
        """End every step that a step of this depth, or the end of the log, ends."""
        for step in reversed(self.steps):
            if step.ended:
                continue
            if step.depth >= depth:
                step.ended = now
