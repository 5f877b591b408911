"""A CLIP-shaped encoder of images and texts, as NOS has models: a class, and its spec."""

import zlib
from pathlib import Path
from typing import List, Union

import numpy as np
from PIL import Image

from nos.common import ModelSpec

SIZE, PATCH = 64, 8


class CLIP:
    """Text and image encoding into one space."""

    def __init__(self, weights: str = "clip.npz"):
        loaded = np.load(Path(__file__).parent / weights)
        self.patches, self.blocks = loaded["patches"], loaded["blocks"]
        self.words, self.projection = loaded["words"], loaded["projection"]

    def encode_image(self, images: Union[Image.Image, np.ndarray, List[Image.Image], List[np.ndarray]]) -> np.ndarray:
        """Encode images into [n, 64] unit vectors."""
        if isinstance(images, Image.Image) or (isinstance(images, np.ndarray) and images.ndim == 3):
            images = [images]
        pixels = np.stack([self._pixels(each) for each in images])
        n, side = len(pixels), SIZE // PATCH
        patches = pixels.reshape(n, side, PATCH, side, PATCH, 3).transpose(0, 1, 3, 2, 4, 5).reshape(n, side * side, -1)
        return self._pooled(patches @ self.patches)

    def encode_text(self, texts: Union[str, List[str]]) -> np.ndarray:
        """Encode texts into [n, 64] unit vectors."""
        if isinstance(texts, str):
            texts = [texts]
        tokens = [[zlib.crc32(word.encode()) % len(self.words) for word in text.lower().split()] or [0] for text in texts]
        return np.concatenate([self._pooled(self.words[row][None]) for row in tokens])

    def _pixels(self, image):
        if not isinstance(image, Image.Image):
            image = Image.fromarray(np.asarray(image, np.uint8))
        return np.asarray(image.convert("RGB").resize((SIZE, SIZE)), np.float32) / 255 - 0.5

    def _pooled(self, tokens):
        for block in self.blocks:
            tokens = tokens + np.tanh(tokens @ block)
        pooled = tokens.mean(1) @ self.projection
        return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True)


spec = ModelSpec.from_cls(CLIP, init_args=(), init_kwargs={"weights": "clip.npz"})
