"""The Ray that replicas run on: one that the author has started, one at an address, or one of this process's own."""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from modelwright.scale import memory

LOGGER: Final = logging.getLogger("modelwright.server")
# Ray's own name for it, which `ray job submit` and KubeRay set.
ADDRESS: Final = "RAY_ADDRESS"
# How many nodes a Ray that is started here has, this one counted: KServe's name, which the operator sets.
NODES: Final = "RAY_NODE_COUNT"
# Set once this process has started a Ray, which can have no more than its nodes have.
_OWN: Final = threading.Event()
# Set once all of its nodes have been there.
_WHOLE: Final = threading.Event()
# Seconds between two lines of the log about replicas or nodes that have not started.
_SAY_EVERY: Final = 30.0
_LOOK_EVERY: Final = 0.5


class Unplaceable(ValueError):
    """Replicas ask for more than there is; the message says what, how much, and what to do."""


def connect(address: str | None = None, *, cpus: float = 1, setup: str | None = None) -> None:
    """Connect to Ray, or start one here that ends with this process; nothing where there is one already.

    `cpus` is how many a Ray of this process's own has for placing replicas. `setup`, `module.function`, is called
    first thing in each process of a Ray at an address; those of an own one inherit this process's environment.
    Where RAY_NODE_COUNT is more than 1, an own Ray is the head of so many nodes: it has the CPUs that this container
    has, listens at RAY_GCS_SERVER_PORT, and this returns once all of them have joined.

    Raises:
        ConnectionError: there is no Ray at the address, or none that takes this process's token.
        RuntimeError: a Ray would be started in another thread than the main one.

    """
    if ray.is_initialized():
        _gather()
        return
    address = address or os.environ.get(ADDRESS)
    if address and address != "local":
        environment = {"worker_process_setup_hook": setup} if setup else None
        try:
            ray.init(address=address, runtime_env=environment, configure_logging=False)
        except (ConnectionError, RuntimeError) as error:
            raise ConnectionError(
                f"the Ray at {address} cannot be reached, or not with this token; where it wants one, set "
                "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH"
            ) from error
        LOGGER.info("replicas run on the Ray at %s", address)
        return
    if threading.current_thread() is not threading.main_thread():
        # Its processes have asked the kernel to end with the thread that started them.
        raise RuntimeError("start Ray in the main thread: call scale.cluster.connect there first")
    # Nothing is sent anywhere unless somebody asks for it.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE")):
        # Ray would write one into the home folder, where others may read it, or where nothing can be written.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # None: as many as the container may use. What replicas need beyond that is on the other nodes.
    counted = None if _nodes() > 1 else max(1, math.ceil(cpus))
    # "local": never a Ray that somebody else has started on this machine.
    ray.init(address="local", num_cpus=counted, include_dashboard=False, configure_logging=False)
    _OWN.set()
    LOGGER.info("replicas run on a Ray of this process's own")
    _gather()


def _nodes() -> int:
    given = os.environ.get(NODES, "")
    return int(given) if given.isdecimal() else 1


def _gather() -> None:
    """Wait for the nodes that are to be there: replicas placed before would all be on those that came first."""
    wanted, said = _nodes(), time.monotonic()
    if wanted == 1 or os.environ.get(ADDRESS, "local") != "local" or _WHOLE.is_set():
        return
    working: set[str] = set()
    while len(working) < wanted:
        alive = {str(node["NodeID"]) for node in ray.nodes() if node["Alive"]}  # type: ignore[no-untyped-call]
        working = {node for node in alive if node in working or _works(node)}
        if time.monotonic() - said >= _SAY_EVERY:
            said = time.monotonic()
            LOGGER.warning("%d of %d nodes have joined Ray; their pods or logs say why not", len(working), wanted)
        time.sleep(_LOOK_EVERY)
    _WHOLE.set()
    LOGGER.info("Ray has all of its %d nodes", wanted)


def _works(node: str) -> bool:
    """Run something on the node: for a moment after it has joined, the others do not place anything there yet."""
    # A lambda travels by value: nothing of ours need be importable there yet.
    nothing: Any = lambda: None  # noqa: E731
    probe: Any = ray.remote(nothing)
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    try:
        ray.get(probe.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote(), timeout=_SAY_EVERY)
    except RayError:
        return False
    return True


def demand(options: Mapping[str, Any], replicas: int) -> dict[str, float]:
    """Add up what replicas ask for with Ray's actor options, in Ray's names of resources."""
    each = {"CPU": options.get("num_cpus"), "GPU": options.get("num_gpus"), **(options.get("resources") or {})}
    return {name: float(amount) * replicas for name, amount in each.items() if amount}


def check(what: str, wanted: Mapping[str, float]) -> None:
    """Raise Unplaceable where this process's own Ray has less, with all its nodes; one at an address may add some."""
    if not _OWN.is_set():
        return
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    have, more = "this machine has", f"set {ADDRESS} to a Ray that has them"
    if (nodes := _nodes()) > 1:
        have, more = f"the {nodes} nodes have", "give predictor.workerSpec more workers, or each more resources"
    for name, amount in wanted.items():
        if amount > there.get(name, 0):
            raise Unplaceable(
                f"{what} ask for {amount:g} {name} in all and {have} {there.get(name, 0):g}: ask for fewer or less, "
                f"or {more}"
            )


def room() -> tuple[int, float | None]:
    """Give the bytes that more replicas can have, and the processors: None for this machine's, where all run here."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    if _OWN.is_set() and sum(bool(node["Alive"]) for node in nodes) == 1:
        return memory.available(), None
    free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return int(free.get("memory", 0)), there.get("CPU", 1)


def wait(starts: Sequence[Any]) -> None:
    """Wait until all references are there, saying meanwhile what Ray has left; raises what ended one of them."""
    left = list(starts)
    while left:
        _, left = ray.wait(left, num_returns=len(left), timeout=_SAY_EVERY)
        if left:
            free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
            told = (len(left), len(starts), free.get("CPU", 0), free.get("GPU", 0))
            LOGGER.warning("%d of %d replicas have not started yet; Ray has %g CPU and %g GPU free", *told)
    ray.get(list(starts))
