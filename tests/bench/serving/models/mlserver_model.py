"""The model as an MLServer runtime."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Sum(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        total = NumpyCodec.decode_input(payload.inputs[0]).sum(axis=-1)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("output-0", total)])
