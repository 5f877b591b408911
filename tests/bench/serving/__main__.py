"""`make bench-serving`: our server beside kserve, MLServer, LitServe, BentoML and the bare-ASGI floor, in one run.

Every server is one process on core 0 with the same model, the sum over the last axis; the load comes from core 1, to
127.0.0.1 only. Exit status 1 when a target is missed or unknown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from tests.bench.serving.load import LOAD_CORE, require_wrk
from tests.bench.serving.measures import MEASURES, attempt, measure
from tests.bench.serving.peers import PEERS, Peer, say
from tests.bench.serving.plot import draw
from tests.bench.serving.soak import soak
from tests.bench.serving.table import judged, lines

_QUIET = 0.1


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def minutes(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of minutes from 1")
    return int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.serving", description=__doc__)
    parser.add_argument("--peers", type=names, default=list(PEERS), help=f"of {','.join(PEERS)}; default all")
    parser.add_argument("--measures", type=names, default=list(MEASURES), help=f"of {','.join(MEASURES)}; default all")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load; default 5")
    parser.add_argument(
        "--soak", type=minutes, metavar="MINUTES", help="then ours at half of its peak for so long; 60 is the target's"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw all figures there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    given = parser.parse_args()
    for chosen, known in ((given.peers, PEERS), (given.measures, MEASURES)):
        for name in chosen:
            if name not in known:
                parser.error(f"there is no {name}; choose of {', '.join(known)}")
    return given


def installed(chosen: list[str]) -> list[Peer]:
    """Return the chosen servers whose environments could be made."""
    found = []
    for name in chosen:
        try:
            PEERS[name].install()
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"{name} is left out: {error}")
        else:
            found.append(PEERS[name])
    return found


def busy() -> float:
    """Return the share of its cores that the machine is using by itself, seen over two seconds."""

    def ticks() -> tuple[int, int]:
        fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = ticks()
    time.sleep(2)
    later, idler = ticks()
    return 1 - (idler - idle) / max(1, later - total)


def main() -> int:
    given = arguments()
    require_wrk()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    peers = installed(given.peers)
    others = busy()
    if others > _QUIET:
        say(f"something else uses {others:.0%} of this machine: the figures will not hold up")
    os.sched_setaffinity(0, {LOAD_CORE})
    results = measure(peers, given.measures, given.seconds)
    if given.soak:
        say(f"soak: ours, {given.soak} minutes")
        ours = PEERS["ours"]
        results["soak"] = {"ours": attempt(partial(soak, minutes=given.soak), ("soak",), ours, given.seconds)["soak"]}
    shown = list(dict.fromkeys([*(peer.name for peer in peers), *(["ours"] if given.soak else [])]))
    print("\n".join(lines(results, shown)))
    if given.plot:
        draw(results, shown, given.plot)
    verdicts = judged(results)
    if given.json:
        machine: dict[str, object] = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count()}
        machine |= {"python": platform.python_version(), "seconds": given.seconds, "busy before": round(others, 3)}
        targets = [{"verdict": verdict, "target": line} for verdict, line in verdicts]
        packages = {peer.name: peer.packages for peer in peers}
        content = {"machine": machine, "packages": packages, "figures": results, "targets": targets}
        given.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0 if all(verdict == "met" for verdict, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
