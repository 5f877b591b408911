"""Fisher's irises by softmax regression: the smallest model that is one."""

from pathlib import Path
from typing import Dict, Union

import numpy as np
from kserve import InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response

MOUNTED = Path("/mnt/models/weights.npz")
BUNDLED = Path(__file__).with_name("weights.npz")


class IrisModel(Model):
    def __init__(self, name: str):
        super().__init__(name)
        self.load()

    def load(self) -> bool:
        with np.load(MOUNTED if MOUNTED.exists() else BUNDLED) as weights:
            self.coefficients = weights["coefficients"]
            self.intercepts = weights["intercepts"]
        self.ready = True
        return self.ready

    def predict(
        self, payload: Union[Dict, InferRequest], headers: Dict[str, str] = None
    ) -> Union[Dict, InferResponse]:
        features = np.asarray(get_predict_input(payload), dtype=np.float32)
        scores = features @ self.coefficients.T + self.intercepts
        return get_predict_response(payload, scores.argmax(axis=1), self.name)


if __name__ == "__main__":
    ModelServer().start([IrisModel("iris")])
