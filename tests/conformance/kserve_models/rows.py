"""A model that sums each row, a call at a time, and writes down the rows of each call.

A row that starts with -1 is refused, one with -2 ends in an exception; `hold` is a row that waits until the file of
that name is gone.
"""

import time
from pathlib import Path

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput

HOLD = Path("hold")


class Rows(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, payload, headers=None):
        v2 = isinstance(payload, InferRequest)
        values = payload.inputs[0].as_numpy() if v2 else np.array(payload["instances"])
        with Path("calls").open("a") as calls:
            calls.write(f"{len(values)} {(headers or {}).get('authorization', '')}\n")
        while HOLD.exists():
            time.sleep(0.01)
        time.sleep(0.005)
        if (values[:, 0] == -1).any():
            raise InvalidInput("a row must not start with -1")
        if (values[:, 0] == -2).any():
            raise RuntimeError("secret of the author")
        sums = values.sum(-1)
        if not v2:
            return {"predictions": sums.tolist()}
        output = InferOutput("sum", list(sums.shape), "FP32", data=sums.astype("float32"))
        return InferResponse(response_id=payload.id, model_name=self.name, infer_outputs=[output])


if __name__ == "__main__":
    ModelServer().start([Rows("rows")])
