"""What is measured of each server; a measure that a server does not get through says why in its cell."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from typing import Any

from tests.bench.serving import load
from tests.bench.serving.bodies import SMALL, as_binary, as_json
from tests.bench.serving.peers import V2, Peer, say
from tests.bench.serving.process import running

Cell = dict[str, Any]
Cells = dict[str, Cell]
_STARTS = 5
_WARM_UP = 1.0


def rest(peer: Peer, seconds: float) -> Cells:
    """Starts, memory, and V2 JSON of both sizes (the peer's own protocol where it has no V2)."""
    starts = []
    # What was installed or compiled a moment ago is read from the disk, and its bytecode written, but once.
    with running(peer):
        pass
    for _ in range(_STARTS - 1):
        with running(peer) as server:
            starts.append(server.started_in)
    with running(peer) as server:
        starts.append(server.started_in)
        resting = server.memory_mb()
        load.wrk(server.http, peer.path, SMALL, 32, _WARM_UP)
        one = load.wrk(server.http, peer.path, SMALL, 1, seconds)
        many = load.wrk(server.http, peer.path, SMALL, 32, seconds)
        memory = server.memory_mb()
        image = load.wrk(server.http, peer.path, as_json("image"), 4, seconds)
    return {
        "start": {"seconds": sorted(starts)[len(starts) // 2], "all": starts},
        "memory": {"mb": memory, "at start": resting},
        "small c=1": dataclasses.asdict(one),
        "small c=32": dataclasses.asdict(many),
        "image c=4": dataclasses.asdict(image),
    }


def binary(peer: Peer, seconds: float) -> Cells:
    """V2 binary over REST; of the floor, a server that reads the body and answers without looking at it."""
    path = "/blind" if peer.name == "floor" else V2
    with running(peer) as server:
        body = as_binary("image")
        load.wrk(server.http, path, body, 4, _WARM_UP)
        return {"image binary c=4": dataclasses.asdict(load.wrk(server.http, path, body, 4, seconds))}


def grpc(peer: Peer, seconds: float) -> Cells:
    """ModelInfer of both sizes; of the floor, a bare grpc.aio server that answers without looking."""
    with running(peer, grpc=True) as server:
        assert server.grpc is not None
        small = load.grpc(server.grpc, "small", 32, seconds)
        image = load.grpc(server.grpc, "image", 4, seconds)
    return {"grpc small c=32": dataclasses.asdict(small), "grpc image c=4": dataclasses.asdict(image)}


def health(peer: Peer, seconds: float) -> Cells:
    """Liveness while three synchronous predictions sleep for two seconds each."""
    del seconds
    with running(peer, file="slow.py") as server:
        return {"health": dataclasses.asdict(load.health(server.http))}


def workers(peer: Peer, seconds: float) -> Cells:
    """Memory of one and of four workers of a 500 MB model, each of which has answered."""
    del seconds
    weighed = {}
    for count in (1, 4):
        with running(peer, f"--workers={count}", file="big.py") as server:
            for _ in range(40):
                load.send(server.http, peer.path, SMALL)
            weighed[count] = server.pss_mb()
            processes = len(server.tree())
    return {"workers": {"one": weighed[1], "four": weighed[4], "processes": processes}}


Measure = Callable[[Peer, float], Cells]
KSERVE_LIKE = ("ours", "kserve")
# Each with the cells that it fills and the servers that it is meant for; None for all.
MEASURES: dict[str, tuple[Measure, tuple[str, ...], tuple[str, ...] | None]] = {
    "rest": (rest, ("start", "memory", "small c=1", "small c=32", "image c=4"), None),
    "binary": (binary, ("image binary c=4",), ("floor", *KSERVE_LIKE)),
    "grpc": (grpc, ("grpc small c=32", "grpc image c=4"), ("floor", *KSERVE_LIKE)),
    "health": (health, ("health",), KSERVE_LIKE),
    "workers": (workers, ("workers",), KSERVE_LIKE),
}


def measure(peers: list[Peer], names: list[str], seconds: float) -> dict[str, Cells]:
    """Return {measure: {peer: cell}}, one server at a time, the same measure of all servers after each other."""
    results: dict[str, Cells] = {}
    for name in names:
        run, fills, meant = MEASURES[name]
        for peer in peers:
            if meant is not None and peer.name not in meant:
                continue
            say(f"{name}: {peer.name}")
            for key, cell in attempt(run, fills, peer, seconds).items():
                results.setdefault(key, {})[peer.name] = cell
    return results


def attempt(run: Measure, fills: tuple[str, ...], peer: Peer, seconds: float) -> Cells:
    """Return a server's cells; those of one that does not get through say why."""
    try:
        return run(peer, seconds)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        say(f"  failed: {error}")
        return {key: {"error": str(error)[-600:]} for key in fills}
