"""What `modelwright predict` and `contract` are tried on, served by `python -m tests.conformance.predict_models`."""

from __future__ import annotations

import asyncio
import base64
import os

import numpy as np
from modelwright.errors import InvalidInput
from modelwright.model import Model, ModelMetadata, TensorMetadata, V1Answer
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor


class Sums(Model):
    """Declares one tensor; V1's `wait` holds the answer up."""

    name = "sums"
    ready = True

    def metadata(self):
        x, y = TensorMetadata("x", "FP32", (-1, 4)), TensorMetadata("y", "FP32", (-1,))
        return ModelMetadata(self.name, "numpy", ("1",), (x,), (y,))

    def bind(self, execution):
        pass

    async def load(self):
        pass

    async def infer(self, request):
        y = request.inputs[0].data.sum(-1)
        return InferenceResponse(self.name, [Tensor("y", "FP32", y.shape, y)], request.id)

    async def predict_v1(self, payload, headers):
        await asyncio.sleep(payload.get("wait", 0))
        if payload.get("text"):
            return V1Answer("plain words", {"content-type": "text/plain"})
        if "instances" not in payload:
            raise InvalidInput("'instances' is missing")
        said = {"host": headers.get("host"), "tenant": headers.get("x-tenant")}
        return V1Answer({"predictions": [sum(map(float, each)) for each in payload["instances"]], "said": said}, {})


class Picture(Sums):
    """Takes an image's bytes, or base64 in V1, and answers how long they are and how they begin."""

    name = "picture"

    def metadata(self):
        return ModelMetadata(self.name, "numpy", (), (TensorMetadata("image", "BYTES", (-1,)),))

    async def infer(self, request):
        content = request.inputs[0].data.ravel()[0]
        data = np.array([f"{len(content)} {content[1:4].decode('latin-1')}".encode()], dtype=object)
        return InferenceResponse(self.name, [Tensor("told", "BYTES", (1,), data)])

    async def predict_v1(self, payload, headers):
        content = base64.b64decode(payload["instances"][0]["image"]["b64"])
        return V1Answer({"predictions": [len(content)]}, {})


class Pixels(Sums):
    """Declares the pixels that it takes, and answers their mean."""

    name = "pixels"

    def metadata(self):
        return ModelMetadata(self.name, "numpy", (), (TensorMetadata("pixels", "FP32", (-1, 3, 8, 6)),))

    async def infer(self, request):
        mean = np.asarray(request.inputs[0].data.mean(axis=(0, 2, 3)), dtype=np.float32)
        return InferenceResponse(self.name, [Tensor("mean", "FP32", mean.shape, mean)])


if __name__ == "__main__":
    served = {each.name: each for each in (Sums(), Picture(), Pixels())}
    run([served[name] for name in os.environ.get("SERVED", "sums,picture,pixels").split(",")], parse())
