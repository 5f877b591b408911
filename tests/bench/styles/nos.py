"""NOS's `submit` on one replica and on two: batches of frames through an encoder in numpy, and through one that waits.

NOS's own published benchmark of the same got slower with replicas.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from modelwright.styles.nos.library.common import ModelSpec
from modelwright.styles.nos.library.managers import ModelHandle, ModelManager

_BATCH = (4, 64, 64, 3)
_BATCHES = 50
_MOST_TURNS = 8
_WARM_UP = 8


class Computing:
    """As heavy as a small model: some 6 ms a batch on one core, and no more than one core."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self.weights = random.standard_normal((192, 192)).astype(np.float32)

    def encode(self, images: np.ndarray) -> np.ndarray:
        tokens = images.reshape(-1, 192).astype(np.float32) / 255
        for _ in range(20):
            tokens = np.tanh(tokens @ self.weights)
        return tokens.reshape(len(images), -1, 192).mean(1)


class Waiting:
    """As one whose work an accelerator does: 10 ms a batch."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        time.sleep(0.01)
        return images.reshape(len(images), -1).mean(1)


def _frames(count: int) -> Iterator[np.ndarray]:
    frame = np.random.default_rng(2).integers(0, 256, _BATCH, np.uint8)
    for _ in range(count):
        yield frame


def _imap(handle: ModelHandle, batches: Iterator[np.ndarray]) -> Iterator[Any]:
    for images in batches:
        handle.encode.submit(images=images)  # type: ignore[attr-defined]
        if handle.results.ready():
            yield handle.results.get_next()
    while not handle.results.ready():
        yield handle.results.get_next()


def _rate(handle: ModelHandle, count: int) -> float:
    begun = time.perf_counter()
    done = sum(1 for _ in _imap(handle, _frames(count)))
    return done / (time.perf_counter() - begun)


def submit(kind: type[Any], seconds: float) -> dict[int, float]:
    """Return batches a second by the number of replicas: the best of rounds in turn, for some seconds at most."""
    manager = ModelManager(max_concurrent_models=2)
    handles = {
        replicas: manager.load(ModelSpec.from_cls(kind, model_id=f"on-{replicas}"), num_replicas=replicas)
        for replicas in (1, 2)
    }
    rates = dict.fromkeys(handles, 0.0)
    for handle in handles.values():
        _rate(handle, _WARM_UP)
    until = time.monotonic() + seconds
    for turn in range(_MOST_TURNS):
        if turn and time.monotonic() > until:
            break
        for replicas, handle in handles.items():
            rates[replicas] = max(rates[replicas], _rate(handle, _BATCHES))
    for handle in handles.values():
        handle.cleanup()
    return rates
