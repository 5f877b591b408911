"""Models that say what becomes of them, served by `python -m tests.conformance.admin_models`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
from modelwright.model import Model, ModelMetadata, V1Answer
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse

MEBIBYTE = 1024 * 1024


class Heavy(Model):
    """Holds 64 MiB while it is loaded; its load fails or ends the process where a file in FOLDER says so."""

    ready = False

    def __init__(self, name):
        self.name = name
        self.weights = None

    def metadata(self):
        return ModelMetadata(self.name, "numpy", ("3",))

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        folder = Path(os.environ.get("FOLDER", "/nowhere"))
        try:
            # Taken by the one worker that is first.
            (folder / "fail-once").unlink()
        except FileNotFoundError:
            pass
        else:
            raise ValueError(f"the weights in {folder} are cut short")
        if (folder / "die").exists():
            os._exit(3)
        self.weights = np.ones(64 * MEBIBYTE // 8)
        self.ready = True

    async def infer(self, request):
        return InferenceResponse(self.name, request.inputs, request.id)

    async def predict_v1(self, payload, headers):
        await asyncio.sleep(payload.get("async_wait", 0))
        if "hold" in payload:
            await _held(Path(payload["hold"]))
        return V1Answer({"predictions": [float(self.weights[0])], "pid": os.getpid()}, {})

    def unload(self):
        self.weights, self.ready = None, False
        if os.environ.get("UNLOAD_FAILS"):
            raise RuntimeError("it would not let go")


async def _held(folder):
    """Say that the request is in work, and wait until somebody lets it go."""
    (folder / "begun").touch()
    # Who lets it go is another process.
    while not (folder / "go").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    run([Heavy("heavy"), Heavy("other")], parse())
