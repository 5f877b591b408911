"""Makes clip.npz and input.json: real shapes, small, from a fixed seed."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
random = np.random.default_rng(2026)
WIDTH, SPACE = 48, 64

np.savez(
    HERE / "clip.npz",
    patches=(random.standard_normal((8 * 8 * 3, WIDTH)) / 8).astype(np.float32),
    blocks=(random.standard_normal((2, WIDTH, WIDTH)) / 7).astype(np.float32),
    words=random.standard_normal((512, WIDTH)).astype(np.float32),
    projection=(random.standard_normal((WIDTH, SPACE)) / 7).astype(np.float32),
)

picture = np.zeros((64, 64, 3), np.uint8)
picture[16:32, 32:48] = (255, 128, 0)
buffer = io.BytesIO()
Image.fromarray(picture).save(buffer, "PNG")
url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
(HERE / "input.json").write_text(json.dumps({"method": "encode_image", "inputs": {"images": [url]}}, indent=2) + "\n")
