"""The table: a row for each figure, and beside it what it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelwright.scale import arena

from tests.bench.styles.adapters import GENUINE, HAND, Rate, measured
from tests.bench.styles.frames import Pair

# An adapter keeps this share of the rate of the same model by hand; MLServer's style this many times MLServer's.
_SHARE, _TIMES = 0.85, 4.5
_LARGE = 600 * 1024


@dataclass(frozen=True)
class Row:
    """A figure; `ratio` is what has to be `least`, where something has to."""

    name: str
    told: str
    ratio: float | None = None
    least: float | None = None
    strictly: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the ratio is what it has to be; None where nothing is asked of it."""
        if self.ratio is None or self.least is None:
            return None
        return self.ratio > self.least if self.strictly else self.ratio >= self.least

    def plain(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {**asdict(self), "met": self.met}


def adapter_rows(rates: Mapping[str, Rate]) -> list[Row]:
    """Return the styles' rows: what each keeps of the rate of the same model by hand, in time that it computes for."""
    rows = []
    for name, each in measured().items():
        rate = rates[name]
        told = f"{rate.seen:.0f}/s, {rate.of_core:.0f}/s of a whole core, {1e6 / rate.of_core:.1f} us"
        against = rates[each.against] if each.against else None
        rows.append(Row(name, told, rate.of_core / against.of_core if against else None, _SHARE if against else None))
    times = rates["mlserver"].of_core / rates[GENUINE].of_core
    told = f"{rates['mlserver'].seen / rates[GENUINE].seen:.1f} x by requests a second"
    return [*rows, Row("mlserver beside MLServer", told, times, _TIMES)]


def frame_rows(name: str, pairs: Mapping[int, Pair]) -> list[Row]:
    """Return a row for each size; from 600 KiB on, an image of 224 x 224, shared memory has to be the faster way."""
    rows = []
    for size, pair in pairs.items():
        told = f"{pair.shared * 1e6:.0f} us shared, {pair.socket * 1e6:.0f} us by the socket"
        mark = "" if size >= arena.SHARED else " (goes by the socket)"
        least = 1.0 if size >= _LARGE else None
        rows.append(Row(f"{name}, {size // 1024} KiB there and back{mark}", told, pair.faster, least, True))
    return rows


def submit_rows(name: str, rates: Mapping[int, float]) -> list[Row]:
    """Return NOS's row: two replicas have to be faster than one."""
    told = f"{rates[1]:.0f}/s on 1 replica, {rates[2]:.0f}/s on 2"
    return [Row(f"NOS submit, {name}", told, rates[2] / rates[1], 1.0, True)]


def lines(rows: list[Row]) -> list[str]:
    """Return the table."""
    verdicts = {True: "met", False: "MISSED", None: ""}
    cells = [("", f"(ratios of styles are to {HAND!r})", "", "", "")]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        least = "" if row.least is None else f"{'more than' if row.strictly else 'at least'} {row.least:g}"
        cells.append((verdicts[row.met], row.name, row.told, ratio, least))
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
