"""The model on BentoML, which has a protocol of its own; the body is the same."""

from typing import Any

import bentoml
import numpy as np


@bentoml.service(workers=1)
class Sum:
    @bentoml.api
    def predict(self, inputs: list[dict[str, Any]]) -> list[Any]:
        tensor = np.array(inputs[0]["data"], dtype=np.float32).reshape(inputs[0]["shape"])
        return tensor.sum(axis=-1).tolist()
