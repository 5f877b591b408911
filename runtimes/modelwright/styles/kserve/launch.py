"""From what an entry point gives to `start()` to the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from modelwright.model import Model
from modelwright.server import Arguments, run
from modelwright.server.loading import LoadFailed, give_up
from modelwright.styles.kserve.adapter import KServeModel
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins import context
from modelwright.styles.kserve.twins.errors import NoModelReady
from modelwright.styles.kserve.twins.logging import logger


def named(models: Foreign, ray_address: str | None = None) -> Iterator[tuple[str, Any]]:
    """Yield each model with its name; raises RuntimeError for what is neither a list nor a mapping.

    Ray Serve's deployments run on Ray from then on, on one of this process's own where there is no address.

    Raises:
        SystemExit: with code 1 when a deployment does not come up; the reason is on stderr and in the container's
            termination message.

    """
    if isinstance(models, list | tuple):
        yield from ((getattr(model, "name", ""), model) for model in models)
    elif isinstance(models, Mapping):
        deployed = _deployed(models, ray_address)
        for name, given in models.items():
            yield name, deployed[name] if name in deployed else _instance(name, given)
    else:
        raise RuntimeError("Unknown model collection type")


def _deployed(models: Mapping[str, Any], address: str | None) -> Mapping[str, Any]:
    # Only who has imported Ray Serve has deployments, and pays for it.
    if "ray.serve" not in sys.modules:
        return {}
    from modelwright.styles.kserve import deployments  # noqa: PLC0415

    found = {name: given for name, given in models.items() if deployments.is_deployment(given)}
    try:
        return deployments.deploy(found, address) if found else {}
    except LoadFailed as failure:
        give_up(failure)


def _instance(name: str, given: Foreign) -> Foreign:
    # What a stand-in of Ray's decorator leaves holds the author's class; without Ray it is a model of this process.
    kind = getattr(given, "func_or_class", given)
    if not isinstance(kind, type):
        return given
    logger.info("model %r runs in this process and its forked workers, not on Ray; use --workers for more", name)
    try:
        return kind()
    except TypeError as without_name:
        # Both forms are in KServe's documents: __init__(self) and __init__(self, name).
        if "name" not in str(without_name):
            raise
        return kind(name)


def serve(models: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Serve kserve models by name until SIGTERM; raises NoModelReady where there are none."""
    if not models:
        raise NoModelReady([])
    known = {field.name for field in fields(Arguments)}
    given = Arguments(**{name: value for name, value in arguments.items() if name in known})
    adapted = [_adapted(model, name) for name, model in models.items()]
    if (given.workers > 1 or given.replicas) and not all(isinstance(model, KServeModel) for model in adapted):
        logger.warning("--workers and --replicas have no effect: Ray Serve runs a model, and its num_replicas counts")
        given.workers, given.replicas = 1, 0
    run(adapted, given)


def _adapted(model: Foreign, name: str) -> Model:
    if "modelwright.styles.kserve.twins.ray" in sys.modules:
        # Whoever makes a RayModel has imported Ray Serve.
        from modelwright.styles.kserve.ray_model import RayServeModel  # noqa: PLC0415
        from modelwright.styles.kserve.twins.ray import RayModel  # noqa: PLC0415

        if isinstance(model, RayModel):
            return RayServeModel(model, name)
    adapted = KServeModel(model, name)
    config = context.get_predictor_config()
    if config is None or not (config.predictor_health_check and config.predictor_host):
        return adapted
    # Few servers are transformers, and fewer ask for this.
    from modelwright.styles.kserve.predictor_health import WatchedPredictor  # noqa: PLC0415

    return WatchedPredictor(adapted, config)
