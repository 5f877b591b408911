"""The measured model as a `modelwright.model.Model` by hand: what the styles' adapters are held against."""

from modelwright.model import Model, ModelMetadata
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor


def total(array):
    return array.sum(axis=-1)


class Sum(Model):
    name = "model"
    ready = False

    def metadata(self):
        return ModelMetadata("model")

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        self.ready = True

    async def infer(self, request):
        data = await self.execution.call(total, request.inputs[0].data)
        return InferenceResponse("model", [Tensor("output-0", "FP32", data.shape, data)], request.id)

    def unload(self):
        self.ready = False


if __name__ == "__main__":
    run([Sum()], parse())
