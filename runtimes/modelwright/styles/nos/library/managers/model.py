"""`nos.managers.model`: which models have replicas."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from enum import StrEnum
from typing import Any, Final

from modelwright.styles.nos.library.common.spec import ModelDeploymentSpec, ModelSpec
from modelwright.styles.nos.library.managers.handle import ModelHandle

__all__ = ["ModelHandle", "ModelManager"]

_LOGGER = logging.getLogger("nos")
_MOST: Final = 8


class ModelManager:
    """Handles by model id; the oldest goes where there are more than `max_concurrent_models`.

    Raises NotImplementedError for another policy than FIFO, and ValueError for more than 8 models, as NOS does.
    """

    class EvictionPolicy(StrEnum):
        """Which model goes first."""

        FIFO = "FIFO"
        LRU = "LRU"

    def __init__(
        self,
        policy: EvictionPolicy = EvictionPolicy.FIFO,
        max_concurrent_models: int | None = None,
    ) -> None:
        if self.EvictionPolicy(policy) is not self.EvictionPolicy.FIFO:
            raise NotImplementedError(f"eviction policy {policy!r}; FIFO is the one that there is")
        most = max_concurrent_models
        if most is None:
            most = int(os.environ.get("NOS_MAX_CONCURRENT_MODELS", "1"))
        if not 1 <= most <= _MOST:
            raise ValueError(f"max_concurrent_models={most} (or NOS_MAX_CONCURRENT_MODELS) must be from 1 to {_MOST}")
        self.policy = self.EvictionPolicy(policy)
        self.max_concurrent_models = most
        self.handlers: OrderedDict[str, ModelHandle] = OrderedDict()

    def __repr__(self) -> str:
        models = "".join(f"\n  {place}: {handle!r}" for place, handle in enumerate(self.handlers.values()))
        return f"ModelManager(policy={self.policy.value}, models={len(self.handlers)}){models}"

    def __contains__(self, spec: ModelSpec) -> bool:
        return spec.id in self.handlers

    def __len__(self) -> int:
        return len(self.handlers)

    def load(
        self,
        spec: ModelSpec,
        deployment: ModelDeploymentSpec | None = None,
        *,
        num_replicas: int | str | None = None,
    ) -> ModelHandle:
        """Give the handle of a model, made where there is none, scaled where it has another number of replicas."""
        handle = self.handlers.get(spec.id)
        if handle is None:
            return self.add(spec, deployment, num_replicas=num_replicas)
        wanted: Any = deployment.num_replicas if deployment else num_replicas
        return handle if wanted in (None, handle.num_replicas) else handle.scale(wanted)

    def get(self, spec: ModelSpec) -> ModelHandle:
        """Give the handle of a model, made where there is none."""
        return self.load(spec)

    def add(
        self,
        spec: ModelSpec,
        deployment: ModelDeploymentSpec | None = None,
        *,
        num_replicas: int | str | None = None,
    ) -> ModelHandle:
        """Make the handle of a model, and room for it.

        Raises:
            ValueError: it has one already.
            EnvironmentUnusable: the environment of its runtime_env cannot be had.
            Exception: what its constructor raises.

        """
        if spec.id in self.handlers:
            raise ValueError(f"model {spec.id!r} has been added already; load() gives its handle")
        while len(self.handlers) >= self.max_concurrent_models:
            self.evict()
        handle = self.handlers[spec.id] = ModelHandle(spec, deployment, num_replicas=num_replicas or 1)
        return handle

    def evict(self) -> None:
        """End the replicas of the model that was added first."""
        name, handle = self.handlers.popitem(last=False)
        _LOGGER.info("model %s makes room for another", name)
        handle.cleanup()
