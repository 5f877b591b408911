"""Models as they were written for kserve 0.7 to 0.11."""

import kserve
import numpy as np
from kserve import Model


class Seed(Model):
    """KServe's custom-runtime document, numpy in the place of torch."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name
        self.load()

    def load(self):
        self.model = np.linspace(0, 1, 6, dtype=np.float32).reshape(3, 2)
        self.ready = True

    def predict(self, payload: dict, headers=None) -> dict:
        np_array = np.asarray(payload["instances"][0]["data"], dtype=np.float32)
        output = self.model @ np_array
        return {"predictions": output.flatten().tolist()}


class WithoutHeaders(kserve.Model):
    """Before 0.10 handlers took the payload alone."""

    def __init__(self, name):
        super().__init__(name)
        self.load()

    def predict(self, payload):
        return {"predictions": [len(payload["instances"])]}


class NotLoaded(kserve.Model):
    """Leaves it to the server to call load()."""

    def load(self):
        self.scale = 3
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [value * self.scale for value in payload["instances"]]}


class SeedOverGrpc(Seed):
    """The document's gRPC example: a plain dict with `contents`, as it stands there."""

    def predict(self, payload, headers=None):
        values = payload.inputs[0].as_numpy() + 1
        return {
            "id": "made",
            "model_name": self.name,
            "outputs": [
                {
                    "contents": {"fp32_contents": values.flatten().tolist()},
                    "datatype": "FP32",
                    "name": "output-0",
                    "shape": list(values.shape),
                }
            ],
        }
