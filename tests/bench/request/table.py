"""The table: a row for each style, a column for each piece of a request, which is what two stages differ by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.request.callgrind import Stage
from tests.bench.request.served import HAND

# The stage that a piece ends, and the one that it goes on from.
PIECES = {
    "body to tensors": ("read", "none"),
    "the model": ("infer", "read"),
    "answer to JSON": ("write", "infer"),
    "counting it": ("count", "write"),
    "whole, no wire": ("whole", "wire"),
}
_MODEL, _ABOVE = "the model", "above by hand"
# They do not come to any model.
_COMMON = frozenset(("none", "wire"))


def needed(styles: Sequence[str]) -> list[Stage]:
    """Return the stages that the table of these styles takes."""
    both = [name for piece in PIECES.values() for name in piece]
    return list(dict.fromkeys(_of(style, name) for style in styles for name in both))


def rows(styles: Sequence[str], counts: Mapping[Stage, float]) -> dict[str, dict[str, int]]:
    """Return each style's pieces, in instructions; `by hand`, which the others are held against, is among them."""
    found: dict[str, dict[str, int]] = {}
    for style in styles:
        row: dict[str, int] = {}
        for piece, (end, begin) in PIECES.items():
            row[piece] = round(counts[_of(style, end)] - counts[_of(style, begin)])
            if piece == _MODEL and style != HAND:
                row[_ABOVE] = row[piece] - found[HAND][piece]
        found[style] = row
    return found


def lines(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the table."""
    columns = list(PIECES)
    columns.insert(columns.index(_MODEL) + 1, _ABOVE)
    cells = [["instructions a request", *columns]]
    cells += [[style, *(f"{row[each]:,}" if each in row else "" for each in columns)] for style, row in found.items()]
    widths = [max(len(row[column]) for row in cells) for column in range(len(columns) + 1)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(widths[at]) for at, cell in enumerate(row) if at)])
        for row in cells
    ]


def _of(style: str, name: str) -> Stage:
    return Stage(HAND if name in _COMMON else style, name)
