"""Models whose requests tell the log that they are in work, served by `python -m tests.conformance.dying_models`."""

from __future__ import annotations

import asyncio
import os
import sys

import numpy as np
from modelwright.model import V1Answer
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor

from tests.conformance.server_models import Summing


class Telling(Summing):
    """Writes the payload's `mark` to the log; `size` makes an answer of that many characters."""

    streams = True

    async def predict_v1(self, payload, headers):
        # In one piece: two processes write to the log.
        sys.stderr.write(f"begun {payload.get('mark')}\n")
        # Not the code of the calls that are fast: once that has moved onto the loop, the first slow call holds it up.
        predict = self._predict_slowly if payload.get("wait") else self._predict
        predictions = await self.execution.call(predict, payload)
        filling = "x" * payload.get("size", 0)
        return V1Answer({"predictions": predictions, "pid": os.getpid(), "filling": filling}, {})

    def _predict_slowly(self, payload):
        return self._predict(payload)

    async def stream(self, request):
        while True:
            yield InferenceResponse(self.name, [Tensor("x", "FP32", (1,), np.zeros(1, np.float32))], request.id)
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    run([Telling()], parse())
