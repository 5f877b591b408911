"""`make bench-operator`: the operator beside KServe's controller, in one run, each on a control plane of its own.

There is no kubelet: what is measured is the controllers. Load goes to 127.0.0.1 only. Exit status 1 when a goal is
missed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.login import from_kubeconfig

from tests.bench import operator_kserve as kserve
from tests.bench.operator_load import NAMESPACE, burst, latencies
from tests.bench.operator_plane import Plane, answers, cpu_seconds, plane, resident_mb

ROOT = Path(__file__).parents[2]
MANY, MORE = 200, 300
SINGLE = 40
STEADY_SECONDS = 60.0


@dataclass
class Figures:
    """What was measured of one controller; None where it was not asked."""

    name: str
    p50: float = 0.0
    p95: float = 0.0
    rate: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0
    later: dict[str, float] = field(default_factory=dict)


class Operator:
    """Our process; `start` waits until its caches are warm."""

    def __init__(self, at: Plane) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": str(at.kubeconfig),
            "MODELWRIGHT_HEALTH_PORT": str(self._port),
        }  # fmt: skip
        self._log = at.folder / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start; return the seconds until ready."""
        begun = time.monotonic()
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "modelwright_operator"]
            self._process = subprocess.Popen(command, env=self._environment, stderr=log)
        while not answers(f"http://127.0.0.1:{self._port}/readyz"):
            if self._process.poll() is not None or time.monotonic() - begun > 60:
                raise RuntimeError(self._log.read_text())
            time.sleep(0.02)
        return time.monotonic() - begun

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)


async def measure(name: str, at: Plane, pid: int, seconds: float) -> Figures:
    """Measure latency on an idle cluster, then a burst."""
    async with Client(from_kubeconfig(at.kubeconfig)) as client:
        for namespace in ("single", "many"):
            await client.create(NAMESPACE, "", {"metadata": {"name": namespace}})
        found = await latencies(client, "single", SINGLE)
        used = cpu_seconds(pid)
        took = await burst(client, "many", MANY, seconds)
    return Figures(
        name,
        p50=found[len(found) // 2] * 1000,
        p95=found[int(len(found) * 0.95)] * 1000,
        rate=MANY / took,
        cpu=cpu_seconds(pid) - used,
        rss=resident_mb(pid),
    )


def measure_kserve() -> Figures:
    say("KServe v0.15.2: starting (the first time, its build takes a few minutes)")
    with plane() as at:
        kserve.install(at.kubectl)
        process = kserve.start(at.kubeconfig, at.folder)
        try:
            return asyncio.run(measure("KServe v0.15.2", at, process.pid, 300))
        finally:
            process.terminate()
            process.wait(timeout=30)


def measure_ours() -> Figures:
    say("modelwright: starting")
    with plane() as at:
        crds = [*at.kubectl, "apply", "--server-side", "-f", ROOT / "crds"]
        subprocess.run(crds, check=True, capture_output=True)
        operator = Operator(at)
        operator.start()
        try:
            figures = asyncio.run(measure("modelwright", at, operator.pid, 120))
            figures.later = later(at, operator)
            return figures
        finally:
            operator.stop()


def later(at: Plane, operator: Operator) -> dict[str, float]:
    """Add services, then measure a steady state and a restart with all of them."""
    say(f"modelwright: {MANY + MORE} InferenceServices, steady state and restart")

    async def more() -> None:
        async with Client(from_kubeconfig(at.kubeconfig)) as client:
            await client.create(NAMESPACE, "", {"metadata": {"name": "more"}})
            await burst(client, "more", MORE, 120)

    asyncio.run(more())
    settle(at)
    writes, used, begun = at.writes(), cpu_seconds(operator.pid), time.monotonic()
    time.sleep(STEADY_SECONDS)
    share = (cpu_seconds(operator.pid) - used) / (time.monotonic() - begun) * 100
    found = {"steady CPU": share, "steady writes": at.writes() - writes, "RSS": resident_mb(operator.pid)}
    operator.stop()
    writes = at.writes()
    found["restart"] = operator.start()
    time.sleep(5.0)
    found["restart CPU"] = cpu_seconds(operator.pid)
    found["restart writes"] = at.writes() - writes
    found["restart RSS"] = resident_mb(operator.pid)
    return found


def settle(at: Plane) -> None:
    """Wait until the operator has had nothing to write for five seconds: the scheduler and others still work."""
    deadline = time.monotonic() + 180
    before = -1.0
    while (now := at.writes()) != before:
        before = now
        if time.monotonic() > deadline:
            raise RuntimeError("the operator does not come to rest")
        time.sleep(5.0)


def goals(theirs: Figures, ours: Figures) -> list[tuple[str, bool]]:
    """Return each goal with whether it is met."""
    seen = ours.later
    return [
        (f"rate at least 4 times KServe's: {ours.rate / theirs.rate:.1f} times", ours.rate >= 4 * theirs.rate),
        (f"apply to Deployment, p95 under 100 ms: {ours.p95:.0f} ms", ours.p95 < 100),
        (f"RSS at most 80 MB with {MANY}: {ours.rss:.0f} MB", ours.rss <= 80),
        (f"RSS at most 80 MB with {MANY + MORE}: {seen['RSS']:.0f} MB", seen["RSS"] <= 80),
        (f"no write in a steady state: {seen['steady writes']:.0f}", seen["steady writes"] == 0),
        (f"under 1% of a core in a steady state: {seen['steady CPU']:.2f}%", seen["steady CPU"] < 1),
        (f"a restart writes nothing: {seen['restart writes']:.0f}", seen["restart writes"] == 0),
    ]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    theirs, ours = measure_kserve(), measure_ours()
    row = "{:<16}{:>9}{:>9}{:>11}{:>9}{:>9}"
    print(row.format("controller", "p50 ms", "p95 ms", f"N={MANY} /s", "CPU s", "RSS MB"))
    for each in (theirs, ours):
        cells = (f"{each.p50:.0f}", f"{each.p95:.0f}", f"{each.rate:.1f}", f"{each.cpu:.1f}", f"{each.rss:.0f}")
        print(row.format(each.name, *cells))
    seen = ours.later
    print(
        f"modelwright, N={MANY + MORE + SINGLE}: {seen['steady CPU']:.2f}% of a core and {seen['steady writes']:.0f} "
        f"writes in {STEADY_SECONDS:.0f} s, RSS {seen['RSS']:.0f} MB; restart: ready in {seen['restart']:.1f} s, "
        f"{seen['restart writes']:.0f} writes, {seen['restart CPU']:.1f} s of CPU, RSS {seen['restart RSS']:.0f} MB"
    )
    met = goals(theirs, ours)
    for text, good in met:
        print(f"{'met   ' if good else 'MISSED'} {text}")
    return 0 if all(good for _, good in met) else 1


if __name__ == "__main__":
    sys.exit(main())
