"""Models whose handlers take every form that kserve allows."""

import numpy as np
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InferenceError, InvalidInput, ModelNotFound, ModelNotReady
from kserve.utils.utils import generate_uuid, get_predict_input, get_predict_response


class Ready(Model):
    def __init__(self, name: str):
        super().__init__(name)
        self.load()


class Sync(Ready):
    """The README's model: V1 and V2 alike through the helpers."""

    def predict(self, payload: dict | InferRequest, headers=None):
        values = get_predict_input(payload)
        return get_predict_response(payload, np.asarray(values, dtype=np.float64).sum(axis=-1), self.name)


class Async(Ready):
    async def predict(self, payload, headers=None):
        return get_predict_response(payload, get_predict_input(payload), self.name)


class Headers(Model):
    """Reads a request header and answers with one of its own."""

    def __init__(self, name: str):
        super().__init__(name, return_response_headers=True)
        self.load()

    def predict(self, payload, headers=None, response_headers=None):
        response_headers.update({"x-seen": headers.get("x-request-id", "none")})
        return {"predictions": sorted(set(headers) & {"host", "x-request-id", "content-length"})}


class Handlers(Ready):
    """All three handlers, of both kinds."""

    def preprocess(self, payload, headers=None):
        return {"instances": [[value * 2 for value in row] for row in payload["instances"]], "kept": True}

    async def predict(self, payload, headers=None):
        return {"predictions": [sum(row) for row in payload["instances"]], "kept": payload["kept"]}

    def postprocess(self, result, headers=None):
        return {**result, "post": True}


class Explain(Ready):
    def predict(self, payload, headers=None):
        return {"predictions": []}

    def explain(self, payload, headers=None):
        return {"explanations": [{"of": row} for row in payload["instances"]]}


class Tensors(Ready):
    """Builds its InferResponse by hand, a tensor of each kind, with parameters."""

    def predict(self, payload: InferRequest, headers=None):
        first = payload.inputs[0].as_numpy()
        outputs = [
            InferOutput("list", list(first.shape), "FP32", first.astype(np.float32).ravel().tolist()),
            InferOutput("array", list(first.shape), "INT64", first.astype(np.int64), {"unit": "cm"}),
            InferOutput("text", [2], "BYTES", ["a", "ü"]),
        ]
        halves = InferOutput("bool", list(first.shape), "BOOL")
        halves.set_data_from_numpy(first > 1, binary_data=False)
        return InferResponse(
            payload.id or "made", self.name, [*outputs, halves], parameters={"seen": payload.model_name}
        )


class Plain(Ready):
    """A plain V2 dict, no class of kserve's."""

    def predict(self, payload, headers=None):
        values = payload.inputs[0].as_numpy() * 2
        return {
            "id": payload.id or generate_uuid(),
            "model_name": self.name,
            "outputs": [
                {"name": "out", "shape": list(values.shape), "datatype": "FP32", "data": values.ravel().tolist()}
            ],
        }


class Raising(Ready):
    def predict(self, payload, headers=None):
        kind = payload["instances"][0]
        raise {
            "input": InvalidInput("age must be positive"),
            "found": ModelNotFound("other"),
            "ready": ModelNotReady("raising"),
            "inference": InferenceError("out of memory"),
            "implemented": NotImplementedError("no such task"),
            "bug": KeyError("secret"),
        }[kind]


class Strings(Ready):
    def predict(self, payload, headers=None):
        if isinstance(payload, dict):
            return {"predictions": [text.upper() for text in get_predict_input(payload)]}
        return get_predict_response(payload, [text.upper() for text in get_predict_input(payload)], self.name)


class Inputs(Ready):
    """Tells how the request looks to an author."""

    def predict(self, payload: InferRequest, headers=None):
        seen = [
            [
                tensor.name, tensor.shape, tensor.datatype, tensor.data, tensor.parameters or {},
                str(tensor.as_numpy().dtype), tensor.as_numpy().tolist(), tensor.as_numpy().flags.writeable,
                isinstance(tensor, InferInput),
            ]
            for tensor in payload.inputs
        ]  # fmt: skip
        asked = [[output.name, output.binary_data] for output in payload.request_outputs or []]
        text = repr(
            [seen, asked, payload.parameters, payload.from_grpc, payload.model_name, payload.use_binary_outputs]
        )
        return get_predict_response(payload, [text], self.name)


class Transformer(Ready):
    """Has no predictor of its own, and none was named."""

    def preprocess(self, payload, headers=None):
        return payload
