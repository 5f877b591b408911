"""A model of 500 MB, every page of which its answers read."""

import numpy as np
from kserve import InferRequest, ModelServer, model_server
from kserve.utils.utils import get_predict_response
from model import Sum


class Big(Sum):
    def load(self):
        self.weights = np.ones(125_000_000, dtype=np.float32)
        self.ready = True

    def predict(self, payload: InferRequest, headers=None):
        total = payload.inputs[0].as_numpy().sum(axis=-1) * self.weights.mean()
        return get_predict_response(payload, total, self.name)


if __name__ == "__main__":
    arguments, _ = model_server.parser.parse_known_args()
    ModelServer().start([Big(arguments.model_name)])
