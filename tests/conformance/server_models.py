"""Models that implement `modelwright.model.Model` themselves, served by `python -m tests.conformance.server_models`."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import numpy as np
from modelwright.model import Model, ModelMetadata, TensorMetadata, V1Answer
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor

SECRET = "hunter2-in-the-payload"


class Summing(Model):
    """Sums over the last axis; `wait` seconds in the V1 payload hold up a thread, `async_wait` the coroutine."""

    name = "sum"
    ready = False

    def metadata(self):
        return ModelMetadata("sum", "numpy", ("1",), (TensorMetadata("x", "FP32", (-1, 4)),))

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        if os.environ.get("LOAD_FAILS"):
            raise ValueError("the weights file is cut short")
        self.ready = not os.environ.get("NEVER_READY")

    async def infer(self, request):
        total = await self.execution.call(np.sum, request.inputs[0].data, -1)
        total = np.asarray(total)
        return InferenceResponse(self.name, [Tensor("total", "FP32", total.shape, total)], request.id)

    def _predict(self, payload):
        if payload.get("raise"):
            raise RuntimeError(f"cannot read /secret/path/weights.bin {payload['raise']}")
        time.sleep(payload.get("wait", 0))
        return [float(np.sum(each)) for each in payload["instances"]]

    async def predict_v1(self, payload, headers):
        await asyncio.sleep(payload.get("async_wait", 0))
        predictions = await self.execution.call(self._predict, payload)
        return V1Answer({"predictions": predictions, "pid": os.getpid()}, {"x-model": "sum"})

    async def explain_v1(self, payload, headers):
        return V1Answer({"explanations": ["because"]}, {})

    def unload(self):
        print("unloaded", file=sys.stderr)


class Unready(Summing):
    """A model that has not loaded."""

    name = "unready"

    async def load(self):
        self.ready = False


if __name__ == "__main__":
    run([Summing(), Unready()], parse())
