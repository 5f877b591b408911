"""The Ray that replicas run on: one that the author has started, one at an address, or one of this process's own."""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ray

LOGGER: Final = logging.getLogger("modelwright.server")
# Ray's own name for it, which `ray job submit` and KubeRay set.
ADDRESS: Final = "RAY_ADDRESS"
# Set once this process has started a Ray, which can have no more than this machine has.
_OWN: Final = threading.Event()
# Seconds between two lines of the log about replicas that have not started.
_SAY_EVERY: Final = 30.0


class Unplaceable(ValueError):
    """Replicas ask for more than there is; the message says what, how much, and what to do."""


def connect(address: str | None = None, *, cpus: float = 1, setup: str | None = None) -> None:
    """Connect to Ray, or start one here that ends with this process; nothing where there is one already.

    `cpus` is how many a Ray of this process's own has for placing replicas. `setup`, `module.function`, is called
    first thing in each process of a Ray at an address; those of an own one inherit this process's environment.

    Raises:
        ConnectionError: there is no Ray at the address, or none that takes this process's token.
        RuntimeError: a Ray would be started in another thread than the main one.

    """
    if ray.is_initialized():
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
    # "local": never a Ray that somebody else has started on this machine.
    ray.init(address="local", num_cpus=max(1, math.ceil(cpus)), include_dashboard=False, configure_logging=False)
    _OWN.set()
    LOGGER.info("replicas run on a Ray of this process's own")


def demand(options: Mapping[str, Any], replicas: int) -> dict[str, float]:
    """Add up what replicas ask for with Ray's actor options, in Ray's names of resources."""
    each = {"CPU": options.get("num_cpus"), "GPU": options.get("num_gpus"), **(options.get("resources") or {})}
    return {name: float(amount) * replicas for name, amount in each.items() if amount}


def check(what: str, wanted: Mapping[str, float]) -> None:
    """Raise Unplaceable where this process's own Ray has less; one at an address may add nodes."""
    if not _OWN.is_set():
        return
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    for name, amount in wanted.items():
        if amount > there.get(name, 0):
            raise Unplaceable(
                f"{what} ask for {amount:g} {name} in all and this machine has {there.get(name, 0):g}: ask for fewer "
                f"or less, or set {ADDRESS} to a Ray that has them"
            )


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
