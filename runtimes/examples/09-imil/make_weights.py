"""Makes clip.npz, detector.npz and input.json: real shapes, small, from a fixed seed."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
random = np.random.default_rng(2026)

np.savez(
    HERE / "clip.npz",
    patches=random.standard_normal((192, 32)).astype(np.float32),
    words=random.standard_normal((512, 32)).astype(np.float32),
    scale=np.float32(10),
)
# A window is an object where it is bright.
np.savez(HERE / "detector.npz", window=np.full(16 * 16 * 3, 20 / (16 * 16 * 3), np.float32), bias=np.float32(-12))

picture = np.zeros((64, 64, 3), np.uint8)
picture[16:32, 32:48] = 255
buffer = io.BytesIO()
Image.fromarray(picture).save(buffer, "PNG")
request = {
    **dict.fromkeys(("Tid", "Did", "Fid", "Ts", "Ts_ntp", "Inf_ver", "Msg_ver", "Ad", "Ffp", "Ltsize", "Lfp", "I_fn"), ""),
    "Base_64": base64.b64encode(buffer.getvalue()).decode(),
    "C_threshold": 0.2,
    "Per": [],
    "Mtp": [],
    "Model": "CustomClipModelLoader",
    "Msk_img": [""],
    "Rep_img": [""],
    "Prompt": [["fire", "smoke", "neutral"]],
}
(HERE / "input.json").write_text(json.dumps(request, indent=1) + "\n")
