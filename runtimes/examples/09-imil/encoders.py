"""CLIP's shape in numpy: image patches and hashed words, each projected, averaged and normalised into one space."""

import zlib

import numpy as np

SIDE, PATCH = 32, 8


class TwoEncoders:
    def __init__(self, file):
        with np.load(file) as weights:
            self.patches, self.words, self.scale = weights["patches"], weights["words"], float(weights["scale"])

    def encode_image(self, image):
        pixels = np.asarray(image.resize((SIDE, SIDE)), dtype=np.float32) / 255
        count = SIDE // PATCH
        patches = pixels.reshape(count, PATCH, count, PATCH, 3).swapaxes(1, 2).reshape(count * count, -1)
        return unit((np.maximum(patches - 0.5, 0) @ self.patches).mean(axis=0))

    def encode_text(self, text):
        rows = [zlib.crc32(word.encode()) % len(self.words) for word in text.lower().split()] or [0]
        return unit(self.words[rows].mean(axis=0))

    def similarities(self, image, texts):
        """Softmax over the texts of the scaled cosines with the image."""
        logits = self.scale * np.stack([self.encode_text(text) for text in texts]) @ self.encode_image(image)
        shares = np.exp(logits - logits.max())
        return shares / shares.sum()


def unit(vector):
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
