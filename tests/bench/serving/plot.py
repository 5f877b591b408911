"""The picture: a small panel for each measure, ours beside the others, with what the targets allow marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.serving.table import HEADS, TARGETS, Results

_OURS, _OTHERS, _LIMIT = "#1f6fb4", "#b8bec6", "#c0392b"
_COLUMNS = 4
# What each figure of a row is called on its panel, and whether more is better; others are not drawn.
_FIGURES = {
    "seconds": ("s", False),
    "mb": ("MB", False),
    "rps": ("requests/s", True),
    "p99": ("p99, ms", False),
    "four": ("MB, four workers", False),
}


def draw(results: Results, peers: list[str], file: Path) -> None:
    """Write the picture; its format is the file name's.

    Raises:
        OSError: it cannot be written.

    """
    # Here, because only who wants a picture should wait for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    chosen = [(row, key) for row, cells in results.items() for key in _FIGURES if _drawn(row, key, cells)]
    soaked = results.get("soak", {}).get("ours", {})
    count = len(chosen) + ("samples" in soaked)
    rows = max(1, -(-count // _COLUMNS))
    figure = Figure(figsize=(3.6 * _COLUMNS, 0.6 + 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for at, (row, key) in enumerate(chosen, 1):
        _bars(figure.add_subplot(rows, _COLUMNS, at), results, peers, row, key)
    if "samples" in soaked:
        _line(figure.add_subplot(rows, _COLUMNS, count), soaked)
    figure.suptitle("Model servers on one core; dashed: what ours must reach (rates) or stay under (the others)")
    figure.savefig(file, dpi=120)


def _drawn(row: str, key: str, cells: dict[str, dict[str, Any]]) -> bool:
    """Tell whether a figure has a panel of its own; latencies and health have one only for a target's sake."""
    aimed_at = any(target.ours == (row, key) for target in TARGETS)
    if row == "soak" or not any(key in cell for cell in cells.values()):
        return False
    return aimed_at or (key != "p99" and row != "health")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _bars(axes: Any, results: Results, peers: list[str], row: str, key: str) -> None:
    unit, more = _FIGURES[key]
    measured = [peer for peer in peers if peer in results[row]]
    values = [results[row][peer].get(key) for peer in measured]
    colours = [_OURS if peer == "ours" else _OTHERS for peer in measured]
    bars = axes.barh(measured, [value or 0 for value in values], color=colours)
    axes.bar_label(bars, ["failed" if value is None else _number(value) for value in values], padding=2, fontsize=7)
    for target in TARGETS:
        for limit in target.limits(results) if target.ours == (row, key) else ():
            axes.axvline(limit, color=_LIMIT, linestyle="--", linewidth=1)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_title(HEADS.get(row, row), fontsize=9)
    axes.set_xlabel(f"{unit} ({'more' if more else 'less'} is better)", fontsize=7)
    _plain(axes)


def _line(axes: Any, cell: dict[str, Any]) -> None:
    axes.plot(*zip(*cell["samples"], strict=True), color=_OURS, linewidth=1)
    (begins, first), (ends, last) = cell["line"]
    axes.plot([begins, ends], [first, last], color="black", linewidth=1)
    for share in (0.97, 1.03):
        axes.plot([begins, ends], [first * share] * 2, color=_LIMIT, linestyle="--", linewidth=1)
    axes.set_ylim(first * 0.9, first * 1.1)
    axes.set_title(f"{HEADS['soak'].partition(':')[0]}: {cell['drift']:+.2f} %", fontsize=9)
    axes.set_xlabel("MB over minutes; the line is fitted", fontsize=7)
    _plain(axes)


def _plain(axes: Any) -> None:
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
