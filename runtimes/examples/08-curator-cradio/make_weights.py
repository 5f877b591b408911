"""Makes weights/nvidia/C-RADIO and input.json: C-RADIO's shape, small, from a fixed seed."""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WIDTH, PATCHES, CLASSES = 32, 16, 2


def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(2026)
    shapes = {
        "patch": (3 * 16 * 16, WIDTH),
        "positions": (PATCHES, WIDTH),
        "classes": (CLASSES, WIDTH),
        "qkv": (WIDTH, 3 * WIDTH),
        "out": (WIDTH, WIDTH),
        "up": (WIDTH, 4 * WIDTH),
        "down": (4 * WIDTH, WIDTH),
    }
    return {name: (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()}


def image() -> np.ndarray:
    row = np.arange(64)
    return np.stack([(row[:, None] * 3 + row * shade) % 256 for shade in (1, 2, 5)]).astype(np.uint8)


if __name__ == "__main__":
    folder = HERE / "weights" / "nvidia" / "C-RADIO"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "model.npz", **weights())
    (HERE / "input.json").write_text(json.dumps({"instances": [image().tolist()]}) + "\n")
