"""A small vision transformer in numpy: patches, class tokens, one block of attention and of a multilayer perceptron."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
PATCH = 16
HEADS = 4


class VisionTransformer:
    """C-RADIO's interface: `summary` is its class tokens side by side, `features` one vector a patch."""

    def __init__(self, file: Path, resolution: int) -> None:
        self.weights = dict(np.load(file))
        self.grid = resolution // PATCH
        if self.weights["positions"].shape[0] != self.grid**2:
            raise ValueError(f"{file.name} is for {len(self.weights['positions'])} patches, not {self.grid**2}")

    def __call__(self, images: Floats) -> tuple[Floats, Floats]:
        w = self.weights
        patches = self._patches(images) @ w["patch"] + w["positions"]
        classes = np.broadcast_to(w["classes"], (len(images), *w["classes"].shape))
        tokens = np.concatenate([classes, patches], axis=1)
        tokens = tokens + self._attention(_normal(tokens))
        tokens = tokens + np.tanh(_normal(tokens) @ w["up"]) @ w["down"]
        count = w["classes"].shape[0]
        return tokens[:, :count].reshape(len(images), -1), tokens[:, count:]

    def _patches(self, images: Floats) -> Floats:
        side = self.grid * PATCH
        if images.shape[1:] != (3, side, side):
            raise ValueError(f"images must be [n, 3, {side}, {side}], not {list(images.shape)}")
        cut = images.reshape(len(images), 3, self.grid, PATCH, self.grid, PATCH)
        return cut.transpose(0, 2, 4, 1, 3, 5).reshape(len(images), self.grid**2, 3 * PATCH * PATCH)

    def _attention(self, tokens: Floats) -> Floats:
        count, length, width = tokens.shape
        parts = (tokens @ self.weights["qkv"]).reshape(count, length, 3, HEADS, width // HEADS)
        query, key, value = parts.transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(np.float32(width // HEADS))
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        return mixed.transpose(0, 2, 1, 3).reshape(count, length, width) @ self.weights["out"]


def _normal(tokens: Floats) -> Floats:
    centred = tokens - tokens.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-6))
