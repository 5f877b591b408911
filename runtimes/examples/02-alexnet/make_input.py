"""Prints the request for a picture: `python make_input.py photo.jpg > input.json`. Cropped and normalised as AlexNet was trained."""

import json
import sys

import numpy as np
from PIL import Image, ImageOps

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def request(path: str) -> dict:
    """A V1 request with one instance: `data` is channels x height x width."""
    picture = ImageOps.fit(Image.open(path).convert("RGB"), (224, 224))
    pixels = (np.asarray(picture) / 255 - MEAN) / DEVIATION
    return {"instances": [{"data": pixels.transpose(2, 0, 1).round(4).tolist()}]}


if __name__ == "__main__":
    json.dump(request(sys.argv[1]), sys.stdout)
