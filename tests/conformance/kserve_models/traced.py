"""A model that takes part in its caller's trace; with --predictor_host, a transformer in front of one."""

import logging

import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer, model_server
from opentelemetry import trace

LOGGER = logging.getLogger("kserve.author")


class Traced(Model):
    def preprocess(self, payload, headers=None):
        return payload

    def predict(self, payload, headers=None):
        with trace.get_tracer("author").start_as_current_span("look up"):
            LOGGER.info("looking up")
        if isinstance(payload, dict):
            if payload["instances"] == [0]:
                raise RuntimeError("the weights are upside down")
            return {"predictions": payload["instances"]}
        if payload.parameters and payload.parameters.get("fail"):
            raise RuntimeError("the weights are upside down")
        values = payload.inputs[0].as_numpy().astype(np.float32)
        return InferResponse(payload.id or "none", self.name, [InferOutput("y", list(values.shape), "FP32", values)])

    def postprocess(self, result, headers=None):
        return result


class Transformer(Model):
    def preprocess(self, payload, headers=None):
        return payload


if __name__ == "__main__":
    model = (Transformer if model_server.args.predictor_host else Traced)("traced")
    model.load()
    ModelServer().start([model])
