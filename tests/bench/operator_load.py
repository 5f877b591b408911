"""InferenceServices in number, and a watch on what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import AUTOSCALER, DEPLOYMENT, INFERENCE_SERVICE, SERVICE, Resource

NAMESPACE = Resource("v1", "Namespace", "namespaces")
_AT_A_TIME = 8
_COUNTED = {DEPLOYMENT.kind, SERVICE.kind, AUTOSCALER.kind, "Ready"}


def manifest(name: str, namespace: str) -> dict[str, Any]:
    """Return an InferenceService that both controllers serve without a webhook of KServe's."""
    annotations = {"serving.kserve.io/deploymentMode": "RawDeployment"}
    container = {"name": "kserve-container", "image": "registry.example/model:1", "args": ["--model_name=model"]}
    return {
        "apiVersion": INFERENCE_SERVICE.api_version,
        "kind": INFERENCE_SERVICE.kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"predictor": {"containers": [container]}},
    }


@dataclass
class Watch:
    """Which names have been seen of each kind, and when."""

    seen: dict[str, dict[str, float]] = field(default_factory=lambda: {kind: {} for kind in _COUNTED})
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, obj: dict[str, Any]) -> None:
        """Take note of an object of a watched kind."""
        kind, name = obj["kind"], obj["metadata"]["name"]
        if kind == INFERENCE_SERVICE.kind:
            conditions = (obj.get("status") or {}).get("conditions") or []
            if not any(condition["type"] == "Ready" for condition in conditions):
                return
            kind, name = "Ready", f"{name}-predictor"
        self.seen[kind].setdefault(name, time.monotonic())
        self.changed.set()

    async def complete(self, names: set[str], seconds: float) -> float:
        """Wait until every name has all its children and a Ready condition; return when the last one came."""
        async with asyncio.timeout(seconds):
            while not all(names <= seen.keys() for seen in self.seen.values()):
                self.changed.clear()
                await self.changed.wait()
        return max(seen[name] for seen in self.seen.values() for name in names)


@asynccontextmanager
async def watching(client: Client, namespace: str) -> AsyncIterator[Watch]:
    """Watch a namespace's children while the context lasts."""
    watch = Watch()

    async def follow(resource: Resource) -> None:
        async for event in client.watch(resource, namespace, since="0", lasts=1800, silence=120):
            if event["type"] in ("ADDED", "MODIFIED"):
                watch.note(event["object"])

    tasks = [asyncio.create_task(follow(each)) for each in (DEPLOYMENT, SERVICE, AUTOSCALER, INFERENCE_SERVICE)]
    await asyncio.sleep(0.5)
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def create(client: Client, namespace: str, names: list[str]) -> None:
    """Create InferenceServices, a few at a time."""
    free = asyncio.Semaphore(_AT_A_TIME)

    async def one(name: str) -> None:
        async with free:
            await client.create(INFERENCE_SERVICE, namespace, manifest(name, namespace))

    await asyncio.gather(*(one(name) for name in names))


async def latencies(client: Client, namespace: str, count: int) -> list[float]:
    """Create one InferenceService after the other on an idle cluster.

    Returns the sorted seconds from sending each to seeing its Deployment.
    """
    found = []
    async with watching(client, namespace) as watch:
        for number in range(count):
            name = f"one{number}"
            started = time.monotonic()
            await create(client, namespace, [name])
            ended = await watch.complete({f"{name}-predictor"}, 60)
            found.append(watch.seen[DEPLOYMENT.kind][f"{name}-predictor"] - started)
            await asyncio.sleep(max(0.0, started + 0.7 - ended))
    return sorted(found)


async def burst(client: Client, namespace: str, count: int, seconds: float) -> float:
    """Create many at once; return the seconds until all have their children and a Ready condition."""
    names = [f"m{number:04d}" for number in range(count)]
    async with watching(client, namespace) as watch:
        started = time.monotonic()
        await create(client, namespace, names)
        return await watch.complete({f"{name}-predictor" for name in names}, seconds) - started
