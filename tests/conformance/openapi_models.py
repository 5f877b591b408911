"""Models that take whatever fits what they declare, served by `python -m tests.conformance.openapi_models`."""

from __future__ import annotations

import numpy as np
from modelwright.model import Model, ModelMetadata, OpenAIOperation, TensorMetadata, V1Answer
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor


class Sum(Model):
    """Declares its inputs, its outputs and its versions."""

    name = "sum"
    ready = False

    def metadata(self):
        return ModelMetadata(
            self.name, "numpy", ("1",), (TensorMetadata("x", "FP32", (-1, 4)), TensorMetadata("k", "INT8", (1,))),
            (TensorMetadata("total", "FP32", (-1,)),),
        )  # fmt: skip

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        self.ready = True

    async def infer(self, request):
        with np.errstate(all="ignore"):
            total = np.asarray(await self.execution.call(np.sum, request.inputs[0].data, -1))
        return InferenceResponse(self.name, [Tensor("total", "FP32", total.shape, total)], request.id)

    async def predict_v1(self, payload, headers):
        return V1Answer({"predictions": [1.5], "bytes": isinstance(payload, bytes)}, {})

    async def explain_v1(self, payload, headers):
        return V1Answer({"explanations": []}, {})

    openai_operations = frozenset({OpenAIOperation.CHAT})

    async def openai(self, operation, payload, headers):
        return {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}

    def unload(self):
        self.ready = False


class Echo(Sum):
    """Declares nothing, and explains nothing; its name needs quoting in a path."""

    name = "an echo, ü"

    def metadata(self):
        return ModelMetadata(self.name)

    openai_operations = frozenset()

    async def infer(self, request):
        return InferenceResponse(self.name, request.inputs, request.id)

    async def explain_v1(self, payload, headers):
        return await Model.explain_v1(self, payload, headers)


if __name__ == "__main__":
    run([Sum(), Echo()], parse())
