"""`num_gpus` as what a pod asks of Kubernetes and what an actor asks of Ray."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

GPU: Final = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class Resources:
    """`limits` are the container's, `ray` the actor's; `note` says what of a fraction Kubernetes cannot keep."""

    limits: Mapping[str, str]
    ray: Mapping[str, float]
    note: str | None = None


def resources(num_gpus: float) -> Resources:
    """Give what one instance of a model with `num_gpus` is to run with.

    Kubernetes hands out whole GPUs (https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/): a fraction is
    rounded up, and the note says how many instances share what the pod has then. Ray keeps fractions below 1, and
    takes whole numbers from 1 on.
    """
    if num_gpus <= 0:
        return Resources({}, {"num_gpus": 0.0})
    whole = math.ceil(num_gpus)
    return Resources(
        limits={GPU: str(whole)},
        ray={"num_gpus": float(num_gpus if num_gpus < 1 else whole)},
        note=None if whole == num_gpus else _note(num_gpus, whole),
    )


def _note(num_gpus: float, whole: int) -> str:
    fitting = math.floor(whole / num_gpus)
    use = f"{fitting} instances fit on them: --workers={fitting}" if fitting > 1 else "the rest is idle"
    return f"num_gpus is {num_gpus:g}; Kubernetes gives whole GPUs, so the pod asks for {whole}; {use}"
