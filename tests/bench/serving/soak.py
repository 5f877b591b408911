"""The soak: V2 JSON at half of the peak rate for as long as one likes, and whether memory stays where it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from statistics import linear_regression

from tests.bench.serving import load
from tests.bench.serving.bodies import SMALL
from tests.bench.serving.measures import Cell, Cells
from tests.bench.serving.peers import Peer, say
from tests.bench.serving.process import Running, running

_CONNECTIONS = 32
_MINUTE = 60.0
_EVERY = 10.0
# Minutes that allocators and caches may take to fill; of a short soak, a quarter.
_WARM_UP = 5.0
_ROWS = 12


def soak(peer: Peer, seconds: float, minutes: int) -> Cells:
    """Return memory over the minutes, its least and most, and the drift that a straight line through it shows.

    The drift, in percent of where the line begins, and the range leave the warm-up out.

    Raises:
        RuntimeError: the server or the load failed.

    """
    warm_up = min(_WARM_UP, minutes / 4)
    samples: list[tuple[float, float]] = []
    rates = []
    with running(peer) as server:
        load.wrk(server.http, peer.path, SMALL, _CONNECTIONS, 1.0)
        peak = load.wrk(server.http, peer.path, SMALL, _CONNECTIONS, seconds).rps
        say(f"  peak {peak:.0f}/s; the first {warm_up:g} minutes are warm-up")
        begun = time.monotonic()
        for minute, found in enumerate(_minutes(server, minutes, peak / 2, samples, begun), 1):
            rates.append(found.rps)
            if minute == minutes or minute % max(1, minutes // _ROWS) == 0:
                bad = f", {found.failed} failed" if found.failed else ""
                say(f"  minute {minute:>3} of {minutes}: {found.rps:.0f}/s{bad}, {samples[-1][1]:.1f} MB")
            if found.failed:
                raise RuntimeError(f"{found.failed} requests failed in minute {minute} of the soak")
    return {"soak": summary(samples, warm_up) | {"peak": peak, "rps": sum(rates) / len(rates), "minutes": minutes}}


def _minutes(
    server: Running, minutes: int, rate: float, samples: list[tuple[float, float]], begun: float
) -> Iterator[load.Found]:
    """Drive the server at a rate, minute by minute, weighing it meanwhile; each minute corrects the next one's rate."""
    pause = 1000 * _CONNECTIONS / rate
    with ThreadPoolExecutor(1) as pool:
        for _ in range(minutes):
            driven = pool.submit(load.wrk, server.http, server.peer.path, SMALL, _CONNECTIONS, _MINUTE, pause)
            found = _weigh_until_done(server, driven, samples, begun)
            pause = max(0.01, pause + 1000 * _CONNECTIONS * (1 / rate - 1 / found.rps))
            yield found


def _weigh_until_done(
    server: Running, driven: Future[load.Found], samples: list[tuple[float, float]], begun: float
) -> load.Found:
    while not wait([driven], timeout=_EVERY).done:
        samples.append(((time.monotonic() - begun) / _MINUTE, server.memory_mb()))
    return driven.result()


def summary(samples: list[tuple[float, float]], warm_up: float) -> Cell:
    """Return least, most and drift of (minute, megabytes) samples after the warm-up, and the line's two ends."""
    times, sizes = zip(*(sample for sample in samples if sample[0] >= warm_up), strict=True)
    slope, intercept = linear_regression(times, sizes)
    first, last = (intercept + slope * moment for moment in (times[0], times[-1]))
    ranged = {"least": min(sizes), "most": max(sizes), "drift": 100 * (last / first - 1)}
    return ranged | {"warm up": warm_up, "line": [[times[0], first], [times[-1], last]], "samples": samples}
