"""Progress in words: formatting, and the estimate of what is left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


def duration(seconds: float) -> str:
    """Return a length of time as a person says it: 7s, 2m10s, 1h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def rough(seconds: float) -> str:
    """Return an estimate no finer than it deserves: "about 4 min left", "less than a minute left"."""
    if seconds < 50:
        return "less than a minute left"
    return f"about {max(1, round(seconds / 60))} min left"


@dataclass(frozen=True)
class Estimate:
    """What a list of jobs should cost, corrected by what the finished ones did cost.

    `expected` holds the seconds of each job where they were measured; `pace` is the first guess for this
    machine (1.0 as fast, 0.5 twice as fast).
    """

    expected: Sequence[float]
    pace: float = 1.0

    def remaining(self, finished: Sequence[float], running: float) -> float:
        """Seconds left; `finished` holds the real seconds of the first jobs, `running` the current one's."""
        done = len(finished)
        left = sum(self.expected[done:])
        # The first guess weighs as much as one minute of measurement: a machine shows quickly what it is.
        weight = 60.0
        pace = (self.pace * weight + sum(finished)) / (weight + sum(self.expected[:done]))
        current = self.expected[done] if done < len(self.expected) else 0.0
        # A job that overruns is not about to end at once: it counts a tenth of its estimate until it does.
        spent = min(running, 0.9 * current * pace)
        return max(0.0, left * pace - spent)


def heading(position: int, total: int, name: str, running: float, packages: int, left: float) -> str:
    """Return a running job's line: "[3/9] kubelet  2m10s, 412 packages compiled, about 4 min left"."""
    compiled = f", {packages} packages compiled" if packages else ""
    return f"[{position}/{total}] {name}  {duration(running)}{compiled}, {rough(left)}"


def say(line: str) -> None:
    """Print one line for a person on stderr; stdout belongs to the results."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
