"""What kserve's classes look like and do, as JSON, so that twin and genuine can be held together."""

import argparse
import inspect
import pickle
from types import MethodDescriptorType

import kserve
import numpy as np
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model, ModelRepository, ModelServer, errors
from kserve.constants.constants import GRPC_CONTENT_DATATYPE_MAPPINGS, PredictorProtocol
from kserve.model import BaseKServeModel, InferenceVerb, append_forwardable_headers
from kserve.predictor_config import PredictorConfig
from kserve.protocol.infer_type import RequestedOutput, deserialize_bytes_tensor, serialize_byte_tensor
from kserve.utils import utils
from kserve.utils.numpy_codec import from_np_dtype, to_np_dtype

DTYPES = ["?", *"bhiqBHIQefdOF", "S3", "U3", "M8[s]"]

CLASSES = [
    Model, BaseKServeModel, ModelServer, ModelRepository, PredictorConfig, PredictorProtocol, InferenceVerb,
    InferRequest, InferResponse, InferInput, InferOutput, RequestedOutput,
    *(kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == "kserve.errors"),
]  # fmt: skip


class Sample(Model):
    def __init__(self, name):
        super().__init__(name)
        self.load()

    def predict(self, payload, headers=None):
        return payload


def request(**more):
    inputs = [
        InferInput("x", [2, 2], "fp32", [[1.5, 2.0], [3.0, 4.0]]),
        InferInput("s", [2], "BYTES", ["a", "ü"], {"content_type": "str"}),
    ]
    return InferRequest("m", inputs, "id-1", parameters={"a": 1}, **more)


def flat():
    """Not nested: the genuine class cannot send nested lists over gRPC, the twin can."""
    made = request()
    made.inputs[0].data = [1.5, 2.0, 3.0, 4.0]
    return made


def response(**more):
    return InferResponse("id-2", "m", [InferOutput("y", [2], "INT64", [1, 2])], parameters={"b": "c"}, **more)


def members(kind):
    """Public attributes, and the parameters of each method."""
    found = {}
    for name in dir(kind):
        if name.startswith("_") and name not in {"__init__", "__call__", "__eq__", "__repr__"}:
            continue
        value = inspect.getattr_static(kind, name)
        value = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        # A compiled method is no function, and tells its parameters all the same.
        compiled = isinstance(value, MethodDescriptorType) and value.__text_signature__
        known = inspect.isfunction(value) or compiled
        found[name] = list(inspect.signature(value).parameters) if known else type(value).__name__
    return found


def tried(action):
    try:
        value = action()
    except Exception as error:
        return {"raised": type(error).__name__, "message": str(error)}
    if isinstance(value, np.ndarray):
        return {"array": str(value.dtype), "shape": list(value.shape), "items": repr(value.tolist())}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return repr(value)


def after(made, action):
    action(made)
    return [made.data, made._raw_data, made.parameters]


def numpy_of(tensor):
    return tensor.as_numpy()


def binary():
    asked = request()
    asked.inputs[0].set_data_from_numpy(np.array([[1.5, 2], [3, 4]], dtype=np.float32))
    asked.inputs[1].set_data_from_numpy(np.array([b"a", b"\xc3\xbc"], dtype=object))
    return asked


def to_bytes(message):
    body, length = message.to_rest()
    return body[length:] if length else body


# Each a call of its own, so that what one raises is its result.
ACTIONS = {
    "request dict": lambda: request().to_dict(),
    "request repr": lambda: str(request()),
    "response repr": lambda: str(response()),
    "rest": lambda: sorted(request().to_rest()[0].items()),
    "rest answer": lambda: sorted(response().to_rest()[0].items()),
    "rest raw": lambda: to_bytes(binary()),
    "rest raw answer": lambda: to_bytes(response(use_binary_outputs=True)),
    "asked for nothing there": lambda: response(requested_outputs=[RequestedOutput("nope")]).to_rest(),
    "from bytes": lambda: InferRequest.from_bytes(*binary().to_rest(), "m").to_dict(),
    "from bytes without data": lambda: InferRequest.from_bytes(
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}', 55, "m"
    ),
    "answer from rest": lambda: InferResponse.from_rest(response().to_rest()[0]).to_dict(),
    "equal": lambda: [request() == request(), request() == response(), request().inputs[0] == request().inputs[1]],
    "grpc": lambda: numpy_of(InferRequest.from_grpc(binary().to_grpc()).inputs[0]),
    "grpc lists": lambda: InferRequest.from_grpc(flat().to_grpc()).inputs[1].data,
    "grpc answer": lambda: numpy_of(InferResponse.from_grpc(response().to_grpc()).outputs[0]),
    "grpc parameters": lambda: sorted(utils_parameters(flat().to_grpc())),
    "numpy": lambda: numpy_of(request().inputs[0]),
    "numpy of strings": lambda: numpy_of(request().inputs[1]),
    "numpy of raw strings": lambda: numpy_of(binary().inputs[1]),
    "numpy of the wrong shape": lambda: InferInput("x", [3], "FP32", [1, 2]).as_numpy(),
    "set": lambda: after(InferOutput("x", [2], "INT32"), lambda o: o.set_data_from_numpy(np.arange(2, dtype=np.int32))),
    "set plain": lambda: after(
        InferOutput("x", [1, 2], "INT32"),
        lambda o: o.set_data_from_numpy(np.array([[1, 2]], dtype=np.int32), binary_data=False),
    ),
    "set text": lambda: after(
        InferOutput("x", [2], "BYTES"),
        lambda o: o.set_data_from_numpy(np.array(["a", b"b"], dtype=object), binary_data=False),
    ),
    "set wrong type": lambda: InferInput("x", [2], "FP32").set_data_from_numpy(np.zeros(2)),
    "set wrong shape": lambda: InferInput("x", [3], "FP64").set_data_from_numpy(np.zeros((2, 1))),
    "set no array": lambda: InferInput("x", [3], "FP64").set_data_from_numpy([1]),
    "bytes": lambda: serialize_byte_tensor(np.array([b"a", "bc"], dtype=object)).item(),
    "bytes back": lambda: deserialize_bytes_tensor(b"\x01\0\0\0a\x02\0\0\0bc"),
    "dtypes": lambda: [str(to_np_dtype(name)) for name in [*GRPC_CONTENT_DATATYPE_MAPPINGS, "FP16", "no"]],
    "dtypes back": lambda: [from_np_dtype(np.dtype(name)) for name in DTYPES],
    "input of V1": lambda: utils.get_predict_input({"instances": [[1, 2], [3, 4]]}),
    "input of V1 strings": lambda: utils.get_predict_input({"inputs": ["a"]}),
    "input of V1 rows": lambda: utils.get_predict_input({"instances": [{"a": [1]}, {"a": [2]}]}).to_dict("list"),
    "input of V2": lambda: utils.get_predict_input(request()),
    "input of V2 frame": lambda: utils.get_predict_input(
        InferRequest("m", [InferInput("a", [2], "INT64", [1, 2])], parameters={"content_type": "pd"})
    ).to_dict("list"),
    "answer to V1": lambda: utils.get_predict_response({}, np.array([[1.5]]), "m"),
    "answer to V2": lambda: utils.get_predict_response(request(), np.array([[1.5]]), "m").to_dict(),
    "answer to V2 list": lambda: utils.get_predict_response(request(), [1, 2], "m").to_dict(),
    "answer to V2 text": lambda: utils.get_predict_response(request(), ["a"], "m").to_dict(),
    "answer to neither": lambda: utils.get_predict_response(3, [], "m"),
    "strtobool": lambda: [utils.strtobool("Yes"), utils.strtobool("off")],
    "strtobool wrong": lambda: utils.strtobool("maybe"),
    "headers": lambda: sorted(append_forwardable_headers({"authorization": "a", "cookie": "b"}, {"c": "d"}).items()),
    "predictor": lambda: [
        getattr(PredictorConfig("h", "v2", True), name) for name in dir(PredictorConfig) if name[0] != "_"
    ],
    "errors": lambda: [
        str(errors.ModelNotReady("m", "why")), str(errors.InferenceError("r", "500")), str(errors.ModelNotFound("m")),
        str(errors.NoModelReady([Sample("a"), Sample("b")])), str(errors.UnsupportedProtocol("p")),
    ],
    "pickle": lambda: [pickle.loads(pickle.dumps(made)) == made for made in (request(), response())],
    "model attributes": lambda: sorted(name for name in vars(Sample("m")) if not name.startswith("_")),
    "model ready": lambda: [Sample("m").ready, Sample("m").stop(), Sample("m").get_input_types(), Sample("m").engine],
    "repository": lambda: ModelRepository().unload("m"),
    "unknown name": lambda: kserve.nothing_of_this_name,
}  # fmt: skip


def utils_parameters(message):
    return [(name, value.int64_param) for name, value in message.parameters.items()]


def flags(parser):
    return sorted(option for action in parser._actions for option in action.option_strings)


def describe(other):
    """Describe kserve in this process; `other` is another process's description, whose pickles are read here."""
    return {
        "module": kserve.__name__,
        "members": {kind.__name__: members(kind) for kind in CLASSES},
        "modules": {kind.__name__: kind.__module__ for kind in CLASSES},
        "bases": {kind.__name__: [base.__name__ for base in kind.__mro__] for kind in CLASSES},
        "actions": {name: tried(action) for name, action in ACTIONS.items()},
        "flags": flags(argparse.ArgumentParser(parents=[kserve.model_server.parser])),
        "pickles": {"request": pickle.dumps(binary()).hex(), "response": pickle.dumps(response()).hex()},
        "read": {
            name: repr(pickle.loads(bytes.fromhex(text))) for name, text in (other or {}).get("pickles", {}).items()
        },
    }
