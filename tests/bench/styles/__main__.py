"""`python -m tests.bench.styles`: what the styles cost, each figure beside what it has to be.

The styles' adapters beside a model by hand, MLServer's style beside MLServer, arrays to another process through shared
memory beside through the socket, and NOS's submit on two replicas beside one. Exit status 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any

# Before numpy: one replica of the first is to be one core's work, as each of two is.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.bench.serving import load
from tests.bench.serving.peers import say
from tests.bench.styles import adapters, frames, nos
from tests.bench.styles.table import Row, adapter_rows, frame_rows, lines, submit_rows

PARTS = ("adapters", "frames", "nos")
# Shares of the whole time; the rest is for starting and stopping servers.
_OF_ADAPTERS, _OF_SUBMIT = 0.45, 0.1
# Seconds past the time that was given, after which something hangs.
_PATIENCE = 60


def parts(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.styles", description=__doc__)
    parser.add_argument("--parts", type=parts, default=list(PARTS), help=f"of {','.join(PARTS)}; default all")
    parser.add_argument("--seconds", type=float, default=270.0, help="for all of it, about; default 270")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    given = parser.parse_args()
    for name in given.parts:
        if name not in PARTS:
            parser.error(f"there is no {name}; choose of {', '.join(PARTS)}")
    return given


def measured(chosen: list[str], seconds: float) -> list[Row]:
    """Return the rows of the chosen parts."""
    rows: list[Row] = []
    if "adapters" in chosen:
        rows += adapter_rows(adapters.rates(seconds * _OF_ADAPTERS))
    if "frames" in chosen:
        rows += frame_rows("replica", frames.replicas())
        rows += frame_rows("environment", frames.environments())
    if "nos" in chosen:
        for kind in (nos.Computing, nos.Waiting):
            say(f"nos: {kind.__name__.lower()}")
            rows += submit_rows(kind.__name__.lower(), nos.submit(kind, seconds * _OF_SUBMIT))
    return rows


def _hangs(*_: Any) -> None:
    raise SystemExit("the bench does not end; what it has started ends now")


def main() -> int:
    given = arguments()
    load.require_wrk()
    for each in adapters.measured().values() if "adapters" in given.parts else ():
        # Before the clock runs: it may have to be fetched.
        each.peer.install()
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(round(given.seconds) + _PATIENCE)
    begun = time.monotonic()
    rows = measured(given.parts, given.seconds)
    signal.alarm(0)
    print("\n".join(lines(rows)))
    if given.json:
        machine = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count()}
        machine |= {"python": platform.python_version(), "seconds": round(time.monotonic() - begun)}
        content = {"machine": machine, "figures": [row.plain() for row in rows]}
        given.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
