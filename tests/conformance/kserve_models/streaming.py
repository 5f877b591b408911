"""Models whose answers come in pieces, from asynchronous and from synchronous generators, and one of one piece."""

import asyncio
import sys
import time
from pathlib import Path

import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput

LARGE = "x" * 65536


def say(text):
    print(text, file=sys.stderr, flush=True)


def words(payload):
    """Give the caller's text, word by word."""
    if isinstance(payload, dict):
        return payload["instances"][0].split()
    text = payload.inputs[0].as_numpy().ravel().tolist()[0]
    return (text.decode() if isinstance(text, bytes) else text).split()


class Streaming(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True


class Async(Streaming):
    async def predict(self, payload, headers=None):
        if words(payload)[0] == "refuse":
            raise InvalidInput("not this word")

        async def pieces():
            try:
                for word in words(payload):
                    if word == "boom":
                        raise RuntimeError(f"cannot read {Path.cwd()}/weights")
                    if word == "refuse-late":
                        raise InvalidInput("not this word")
                    if word == "wait":
                        await asyncio.sleep(60)
                    yield word
            finally:
                say("closed async")

        return pieces()


class Sync(Streaming):
    def predict(self, payload, headers=None):
        try:
            for word in words(payload):
                if word == "boom":
                    raise RuntimeError(f"cannot read {Path.cwd()}/weights")
                if word == "pause":
                    time.sleep(1)
                if word == "flood":
                    for number in range(10_000):
                        say(f"piece {number}")
                        yield LARGE
                yield word
        finally:
            say("closed sync")


class Tensors(Streaming):
    """Pieces that are InferResponses of numbers."""

    def predict(self, payload, headers=None):
        for row in payload.inputs[0].as_numpy():
            output = InferOutput("sum", [1], "FP32")
            output.set_data_from_numpy(np.array([row.sum()], np.float32), binary_data=False)
            yield InferResponse("", self.name, [output])


class Whole(Streaming):
    """One answer, not in pieces."""

    def predict(self, payload, headers=None):
        return {"predictions": [len(words(payload))]}


if __name__ == "__main__":
    ModelServer().start([Async("async"), Sync("sync"), Tensors("tensors"), Whole("whole")])
