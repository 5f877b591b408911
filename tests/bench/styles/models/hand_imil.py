"""The model for Infosys IMIL as a `modelwright.model.Model` by hand: a JSON object in, a JSON object out."""

import json

import numpy as np
from modelwright.model import Model, ModelMetadata
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.styles import substitutes
from modelwright.tensors import InferenceResponse, Tensor

substitutes.install()

from imil.sum_loader import SumModelLoader  # noqa: E402 - what it imports is answered from here on


class Sum(Model):
    name = "model"
    ready = False

    def metadata(self):
        return ModelMetadata("model")

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        self.loader = SumModelLoader({}, "")
        self.ready = True

    async def infer(self, request):
        answer = await self.execution.call(self.loader.predict_request, json.loads(request.inputs[0].data[0]))
        data = np.empty(1, dtype=object)
        data[0] = json.dumps(answer).encode()
        return InferenceResponse("model", [Tensor("response", "BYTES", (1,), data)], request.id)

    def unload(self):
        self.ready = False


if __name__ == "__main__":
    run([Sum()], parse())
