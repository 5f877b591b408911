"""`python -m tests.bench.request`: the instructions of one small V2 request, [1,4] FP32, by piece and by style.

Counted by callgrind on the compiled server: other work on the machine moves times, and a count hardly. What
the server itself takes the time of is slow under valgrind, so that a histogram's bucket is searched a little further.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from cluster.packages import PackagesMissingError
from tests.bench.request.callgrind import children
from tests.bench.request.served import HAND, STYLES
from tests.bench.request.table import lines, needed, rows


def styles(text: str) -> list[str]:
    return [HAND, *(name for name in text.split(",") if name and name != HAND)]


def arguments() -> argparse.Namespace:
    others = ",".join(STYLES[1:])
    parser = argparse.ArgumentParser(prog="python -m tests.bench.request", description=__doc__)
    parser.add_argument("--styles", type=styles, default=list(STYLES), help=f"of {others}; default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    given = parser.parse_args()
    for name in given.styles:
        if name not in STYLES:
            parser.error(f"there is no {name}; choose of {others}")
    return given


def main() -> int:
    given = arguments()
    begun = time.monotonic()
    try:
        with children() as started:
            started.prove(given.styles)
            found = rows(given.styles, started.count(needed(given.styles)))
    except PackagesMissingError as error:
        raise SystemExit(str(error)) from None
    print("\n".join(lines(found)))
    if given.json:
        machine = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count()}
        machine |= {"python": platform.python_version(), "seconds": round(time.monotonic() - begun)}
        given.json.write_text(json.dumps({"machine": machine, "figures": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
