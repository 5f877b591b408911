"""`python -m tests.bench.client`: the operator's client beside kubernetes.aio's dynamic client.

Memory after import and a first request, server-side applies and watch events per second, each client in a process of
its own against one control plane. Two rounds; the second, in which the objects exist, is shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.bench.operator_plane import cpu_seconds, plane, resident_mb

APPLIES, AT_A_TIME, PAYLOAD = 400, 8, 2000
NAMESPACE = "default"


def config_map(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"bench-{number}", "namespace": NAMESPACE},
        "data": {"payload": "x" * PAYLOAD},
    }


async def ours(kubeconfig: str, marker: str) -> dict[str, float]:
    from modelwright_operator.cluster.client import Client
    from modelwright_operator.cluster.login import from_kubeconfig
    from modelwright_operator.cluster.resources import Resource

    maps = Resource("v1", "ConfigMap", "configmaps")
    async with Client(from_kubeconfig(Path(kubeconfig))) as client:
        uids = {
            int(found["metadata"]["name"].removeprefix("bench-")): found["metadata"]["uid"]
            async for page in client.list(maps, NAMESPACE)
            for found in page.items
            if found["metadata"]["name"].startswith("bench-")
        }
        started = {"RSS MB": resident_mb(os.getpid())}

        async def apply(number: int) -> None:
            manifest = config_map(number)
            manifest["data"]["client"] = marker
            known = uids.get(number)
            uids[number] = (await client.apply(maps, manifest, uid=known))["metadata"]["uid"]

        async def watch() -> None:
            seen = 0
            async for event in client.watch(maps, NAMESPACE, since="0", lasts=60, silence=30):
                seen += event["type"] == "ADDED"
                if seen >= APPLIES:
                    return

        return {**started, **await measured(apply, watch)}


async def official(kubeconfig: str, marker: str) -> dict[str, float]:
    from kubernetes.aio import config
    from kubernetes.aio.client import ApiClient
    from kubernetes.aio.dynamic import DynamicClient

    await config.load_kube_config(kubeconfig)
    async with ApiClient() as transport:
        client = await DynamicClient(transport)
        maps = await client.resources.get(api_version="v1", kind="ConfigMap")
        await client.get(maps, namespace="kube-system", name="extension-apiserver-authentication")
        started = {"RSS MB": resident_mb(os.getpid())}

        async def apply(number: int) -> None:
            manifest = config_map(number)
            manifest["data"]["client"] = marker
            await client.server_side_apply(maps, manifest, field_manager="modelwright", force_conflicts=True)

        async def watch() -> None:
            seen = 0
            async for event in client.watch(maps, namespace=NAMESPACE, resource_version="0", timeout=60):
                seen += event["type"] == "ADDED"
                if seen >= APPLIES:
                    return

        return {**started, **await measured(apply, watch)}


async def measured(apply: Callable[[int], Awaitable[None]], watch: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Return applies and watch events per second, and the CPU milliseconds that one of each takes."""
    free = asyncio.Semaphore(AT_A_TIME)

    async def one(number: int) -> None:
        async with free:
            await apply(number)

    used, begun = cpu_seconds(os.getpid()), time.monotonic()
    await asyncio.gather(*(one(number) for number in range(APPLIES)))
    took, cpu = time.monotonic() - begun, cpu_seconds(os.getpid()) - used
    watches = 10
    used, begun = cpu_seconds(os.getpid()), time.monotonic()
    for _ in range(watches):
        await watch()
    events = APPLIES * watches
    watched, watch_cpu = time.monotonic() - begun, cpu_seconds(os.getpid()) - used
    return {
        "applies/s": APPLIES / took,
        "ms CPU each": cpu / APPLIES * 1000,
        "events/s": events / watched,
        "ms CPU each event": watch_cpu / events * 1000,
    }


def main() -> int:
    if len(sys.argv) == 4:
        run = {"modelwright": ours, "kubernetes.aio": official}[sys.argv[1]]
        print(json.dumps(asyncio.run(run(sys.argv[2], sys.argv[3]))))
        return 0
    rows: dict[str, dict[str, float]] = {}
    with plane() as at:
        for turn, name in enumerate(("modelwright", "kubernetes.aio", "modelwright", "kubernetes.aio")):
            command = [sys.executable, "-m", "tests.bench.client", name, str(at.kubeconfig), str(turn)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows[name] = json.loads(done.stdout)
    columns = list(rows["modelwright"])
    print(f"{'client':<16}" + "".join(f"{column:>19}" for column in columns))
    for name, row in rows.items():
        print(f"{name:<16}" + "".join(f"{row[column]:>19.2f}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
