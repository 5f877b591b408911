"""`python -m tests.bench.images [--json FILE]`: images of the numpy example, each figure beside what it has to be.

Both sides push to the registry of the test cluster, each step after a change of one line of code.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.images import mlserver, ours
from tests.bench.images.step import Figures, progress

_CODE, _NOTHING, _OVER, _FASTER, _SMALLER = 6.0, 4.0, 60e6, 3.0, 0.5


def main(argv: Sequence[str]) -> int:
    """Print a table and what is met; the exit status tells whether every target is."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.images", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="changes of code to measure; the median counts (3)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(argv)
    sides = {"Modelwright": ours.measure(options.repeat), "MLServer's Dockerfile": mlserver.measure(options.repeat)}
    progress("")
    print(f"{'':24}{'first':>9}{'code':>9}{'nothing':>9}{'image':>10}{'over base':>11}")
    for name, figures in sides.items():
        code = statistics.median(figures.code)
        print(
            f"{name:24}{figures.first:7.1f} s{code:7.1f} s{figures.nothing:7.1f} s"
            f"{figures.size / 1e6:7.0f} MB{figures.over_base / 1e6:8.0f} MB"
        )
    for name, figures in sides.items():
        print(
            f"{name}: {statistics.median(figures.engine):.1f} s of a code change without the start of its command line"
        )
    met = _targets(*sides.values())
    if options.json:
        document = {name: asdict(figures) for name, figures in sides.items()}
        options.json.write_text(json.dumps({"figures": document, "met": met}, indent=1) + "\n", encoding="utf-8")
    return 0 if all(met.values()) else 1


def _targets(own: Figures, theirs: Figures) -> dict[str, bool]:
    code, their_code = statistics.median(own.code), statistics.median(theirs.code)
    said = {
        f"code-only rebuild {code:.1f} s, under {_CODE:g} s": code < _CODE,
        f"no-change rebuild {own.nothing:.1f} s, under {_NOTHING:g} s": own.nothing < _NOTHING,
        f"image {own.over_base / 1e6:.0f} MB over the base, at most {_OVER / 1e6:.0f} MB": own.over_base <= _OVER,
        "same tree twice, one digest": len(set(own.digests)) == 1,
        f"code change {their_code / code:.1f} x as fast as MLServer's, at least {_FASTER:g} x": their_code
        >= _FASTER * code,
        f"{own.size / theirs.size:.2f} of the size of MLServer's image, at most {_SMALLER:g}": own.size
        <= _SMALLER * theirs.size,
    }
    for line, holds in said.items():
        print(f"{'met' if holds else 'MISSED':<9}{line}")
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
