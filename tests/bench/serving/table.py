"""The table: a row for each measure, a column for each server, the issue's targets beside what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Results = dict[str, dict[str, dict[str, Any]]]
_BARE = ("", "", "")


@dataclass(frozen=True)
class Target:
    """A ratio of two measured figures, and what it has to be."""

    row: str
    text: str
    ours: tuple[str, str]
    other: tuple[str, str, str]
    least: float | None = None
    most: float | None = None

    def judge(self, results: Results) -> tuple[float, bool] | None:
        """Return the ratio and whether it is good enough; None where either figure is not there."""
        top, bottom = _figure(results, self.ours[0], "ours", self.ours[1]), self._bottom(results)
        if top is None or not bottom:
            return None
        ratio = top / bottom
        return ratio, (self.least is None or ratio >= self.least) and (self.most is None or ratio <= self.most)

    def limits(self, results: Results) -> list[float]:
        """Return what our figure must not cross, in its own unit; empty where that is not known."""
        bottom = self._bottom(results)
        return [bound * bottom for bound in (self.least, self.most) if bound is not None and bottom]

    def _bottom(self, results: Results) -> float | None:
        return 1.0 if self.other == _BARE else _figure(results, *self.other)


_SMALL, _IMAGE, _BINARY = "small c=32", "image c=4", "image binary c=4"
TARGETS = (
    Target("start", "x kserve's, at most 0.25", ("start", "seconds"), ("start", "kserve", "seconds"), most=0.25),
    Target("memory", "MB, at most 75", ("memory", "mb"), _BARE, most=75),
    Target(_SMALL, "x kserve's rps, at least 8", (_SMALL, "rps"), (_SMALL, "kserve", "rps"), least=8),
    Target(_SMALL, "x MLServer's rps, at least 4.5", (_SMALL, "rps"), (_SMALL, "mlserver", "rps"), least=4.5),
    Target(_SMALL, "x the floor's rps, at least 0.5", (_SMALL, "rps"), (_SMALL, "floor", "rps"), least=0.5),
    Target(_SMALL, "x kserve's p99, at most 0.25", (_SMALL, "p99"), (_SMALL, "kserve", "p99"), most=0.25),
    Target(_IMAGE, "x kserve's rps, at least 5", (_IMAGE, "rps"), (_IMAGE, "kserve", "rps"), least=5),
    Target(_IMAGE, "x the floor's rps, at least 1", (_IMAGE, "rps"), (_IMAGE, "floor", "rps"), least=1),
    Target(_BINARY, "x kserve's JSON rps, at least 10", (_BINARY, "rps"), (_IMAGE, "kserve", "rps"), least=10),
    Target(_BINARY, "x a blind reader's rps, at least 0.5", (_BINARY, "rps"), (_BINARY, "floor", "rps"), least=0.5),
    Target(
        "grpc small c=32", "x kserve's rps, at least 3",
        ("grpc small c=32", "rps"), ("grpc small c=32", "kserve", "rps"), least=3,
    ),
    Target(
        "grpc image c=4", "x kserve's JSON rps, at least 10",
        ("grpc image c=4", "rps"), (_IMAGE, "kserve", "rps"), least=10,
    ),
    Target("health", "ms p99, under 20", ("health", "p99"), _BARE, most=20),
    Target("workers", "x one worker's PSS, at most 1.3", ("workers", "four"), ("workers", "ours", "one"), most=1.3),
    Target("soak", "% of memory by the fitted line, within 3", ("soak", "drift"), _BARE, least=-3, most=3),
)  # fmt: skip


def _figure(results: Results, row: str, peer: str, key: str) -> float | None:
    value = results.get(row, {}).get(peer, {}).get(key)
    return None if value is None else float(value)


def _load(cell: dict[str, Any]) -> str:
    bad = f" ({cell['failed']} failed)" if cell["failed"] else ""
    bound = " (generator-bound)" if cell["busy"] > 0.95 else ""
    return f"{cell['rps']:.0f}/s {cell['p50']:.2g}, {cell['p99']:.2g} ms{bad}{bound}"


def _soaked(cell: dict[str, Any]) -> str:
    memory = f"{cell['drift']:+.2f} %, {cell['least']:.1f} to {cell['most']:.1f} MB"
    return f"{memory} ({cell['minutes']} min at {cell['rps']:.0f}/s)"


_TEXT: dict[str, Callable[[dict[str, Any]], str]] = {
    "start": lambda cell: f"{cell['seconds']:.2f} s",
    "memory": lambda cell: f"{cell['mb']:.0f} MB",
    "health": lambda cell: f"{cell['p50']:.2g}, {cell['p99']:.3g} ms",
    "workers": lambda cell: f"{cell['one']:.0f}, {cell['four']:.0f} MB",
    "soak": _soaked,
}
HEADS = {
    "start": "start to first 200",
    "memory": "memory after the small load",
    "health": "health p50, p99 under 3 slow predicts",
    "workers": "500 MB model: PSS of 1, of 4 workers",
    "soak": "memory at half of the peak: drift, range",
}


def lines(results: Results, peers: list[str]) -> list[str]:
    """Return the table: first what was measured, then each target with the measured ratio."""
    rows = [["(rates: rps p50, p99)", *("ours (compiled)" if peer == "ours" else peer for peer in peers)]]
    for row, cells in results.items():
        rows.append([HEADS.get(row, row), *(_cell(row, cells.get(peer)) for peer in peers)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(peers) + 1)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*text, "", *(f"{verdict:<9}{line}" for verdict, line in judged(results))]


def judged(results: Results) -> list[tuple[str, str]]:
    """Return for each target of a measured row: met, MISSED or unknown, and the ratio beside the target."""
    found = []
    for target in TARGETS:
        if target.row not in results:
            continue
        seen = target.judge(results)
        verdict = "unknown" if seen is None else "met" if seen[1] else "MISSED"
        ratio = "-" if seen is None else f"{seen[0]:.3g}"
        found.append((verdict, f"{HEADS.get(target.row, target.row)}: {ratio} {target.text}"))
    return found


def _cell(row: str, cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "-"
    return "failed" if "error" in cell else _TEXT.get(row, _load)(cell)
