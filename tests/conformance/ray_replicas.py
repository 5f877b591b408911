"""What replicas on Ray do, told as JSON: `python -m tests.conformance.ray_replicas FOLDER`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
from modelwright.scale import cluster
from modelwright.scale.ray_replicas import RayReplicas
from modelwright.scale.replicas import ReplicaDied


class OwnError(ValueError):
    """Defined in the main module, which no other process can import."""


class Author:
    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

    def add(self, x: np.ndarray) -> list[Any]:
        return [float(x.sum() + self.weights.sum()), x.flags.writeable, self.weights.flags.writeable, os.getpid()]

    def meet(self, folder: str, name: str) -> int:
        """Return once the other one is in a call too."""
        Path(folder, name).touch()
        until = time.monotonic() + 60
        while len(list(Path(folder).glob("met-*"))) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        return os.getpid()

    def die(self, marker: str | None = None) -> int:
        if marker is None or not Path(marker).exists():
            Path(marker or os.devnull).touch()
            os._exit(3)
        return os.getpid()

    def refuse(self) -> None:
        raise OwnError("not this")

    def count(self, upto: int):
        yield from range(upto)

    async def later(self, upto: int):
        for number in range(upto):
            await asyncio.sleep(0)
            yield number

    async def answer(self) -> str:
        return "awaited"


def raised(call: Any) -> list[str]:
    try:
        call()
    except Exception as error:
        return [
            type(error).__name__,
            str(error).splitlines()[0],
            *(each[:21] for each in getattr(error, "__notes__", [])),
        ]
    return []


def all_running(replicas: RayReplicas) -> bool:
    until = time.monotonic() + 120
    while replicas.running < replicas.count and time.monotonic() < until:
        time.sleep(0.05)
    return replicas.running == replicas.count


def told(folder: str) -> dict[str, Any]:
    weights = np.ones(10**6, np.float32)
    replicas = RayReplicas(lambda: Author(weights), 2)
    call = lambda method, **arguments: replicas.submit(method, arguments).result(120)  # noqa: E731
    met = [replicas.submit("meet", {"folder": folder, "name": f"met-{each}"}) for each in "ab"]
    known: dict[str, Any] = {"pids": len({each.result(120) for each in met} | {os.getpid()})}
    known["add"] = call("add", x=np.zeros((3, 224, 224), np.float32))[:3]
    known["on"] = len({replicas.submit("add", {"x": weights}, on=1).result(120)[3] for _ in range(4)})
    known["refuse"] = raised(lambda: call("refuse"))
    known["unsendable"] = raised(lambda: call("add", x=threading.Lock()))[:1]
    known["streams"] = [list(call("count", upto=3)), list(call("later", upto=3)), call("answer")]
    # Two replicas, and a third call: those that were let go of hold nothing up.
    for _ in range(3):
        next(call("count", upto=3))
    known["once"] = call("die", marker=f"{folder}/marker") > 0
    known["replaced"] = all_running(replicas)
    known["twice"] = raised(lambda: call("die"))[:1]
    known["replaced again"] = all_running(replicas)
    replicas.scale(3)
    known["scaled"] = [replicas.count, replicas.running]
    replicas.scale(1)
    known["scaled back"] = [replicas.count, call("answer"), replicas.weight() > 2**20]
    known["too few"] = raised(lambda: replicas.scale(0))
    known["unplaceable"] = raised(lambda: RayReplicas(lambda: Author(weights), 2, options={"num_gpus": 1}))
    known["broken"] = raised(lambda: RayReplicas(lambda: Author(int("three"))))[:2]  # type: ignore[arg-type]
    replicas.close()
    known["closed"] = raised(lambda: call("answer"))
    assert issubclass(ReplicaDied, RuntimeError)
    return known


if __name__ == "__main__":
    cluster.connect(cpus=2)
    try:
        print(json.dumps(told(sys.argv[1])))
    finally:
        ray.shutdown()
