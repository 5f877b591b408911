"""A predictor over REST and gRPC, with the headers that it saw in its answer."""

import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput


class Predictor(Model):
    def predict(self, payload, headers=None):
        seen = sorted(set(headers) & {"authorization", "cookie", "x-request-id"})
        if isinstance(payload, dict):
            if not payload["instances"]:
                raise InvalidInput("nothing to predict")
            return {"predictions": payload["instances"], "seen": seen}
        values = payload.inputs[0].as_numpy() * 2
        outputs = [
            InferOutput("y", list(values.shape), "FP32", values.astype(np.float32)),
            InferOutput("seen", [len(seen)], "BYTES", seen),
        ]
        return InferResponse(payload.id or "none", self.name, outputs)


if __name__ == "__main__":
    model = Predictor("p")
    model.load()
    ModelServer().start([model])
