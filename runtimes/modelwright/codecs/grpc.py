"""The gRPC form of the Open Inference Protocol: a ModelInferRequest's bytes to tensors, tensors to a response's bytes.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
Nothing here imports grpc: the bytes are what any transport delivers.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from modelwright.codecs.binary import read_raw, write_raw
from modelwright.codecs.describe import describe, quote
from modelwright.codecs.proto import contents, wire
from modelwright.codecs.proto.open_inference_grpc_pb2 import (
    InferParameter,
    ModelInferRequest,
    ModelInferResponse,
)
from modelwright.codecs.shapes import read_shape
from modelwright.codecs.writing import checked, chosen
from modelwright.errors import InvalidInput
from modelwright.tensors import (
    NUMPY_TYPES,
    InferenceRequest,
    InferenceResponse,
    Parameters,
    RequestedOutput,
    Tensor,
)

_Message = TypeVar("_Message", bound=Message)
# The tag of a field of text (wire type 2), https://protobuf.dev/programming-guides/encoding/
_MODEL_NAME: Final = ModelInferRequest.MODEL_NAME_FIELD_NUMBER << 3 | 2
_RAW_INPUTS: Final = ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER
_RAW_OUTPUTS: Final = ModelInferResponse.RAW_OUTPUT_CONTENTS_FIELD_NUMBER


@dataclass(slots=True)
class Call:
    """A decoded ModelInfer call: `raw` when its tensors came in raw_input_contents, so that the answer's go back so."""

    request: InferenceRequest
    model_version: str
    raw: bool


def parse(kind: type[_Message], message: bytes) -> _Message:
    """Parse a serialized message. Raises InvalidInput when the bytes are not one."""
    try:
        parsed = kind.FromString(message)
    except (DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the request is not a valid {kind.__name__} message") from error
    return parsed


def model_name(message: bytes) -> str:
    """Return the model that a ModelInferRequest names, without reading the rest of it.

    Empty where its name is not the first field, where serializers put it, or longer than 127 bytes.
    """
    if len(message) < 2 or message[0] != _MODEL_NAME or message[1] > 127:
        return ""
    return message[2 : 2 + message[1]].decode("utf-8", "replace")


def decode(message: bytes, headers: Mapping[str, str]) -> Call:
    """Decode a ModelInferRequest; raw contents are read-only views of `message`.

    Raises InvalidInput, naming the input and what was expected, when a tensor does not fit its shape or datatype.
    """
    rest, raw = wire.cut(message, _RAW_INPUTS)
    parsed = parse(ModelInferRequest, rest)
    if not raw:
        raw = [memoryview(content) for content in parsed.raw_input_contents]
    request = InferenceRequest(
        model_name=parsed.model_name,
        inputs=_inputs(parsed, raw),
        id=parsed.id or None,
        parameters=read_parameters(parsed.parameters, "the request"),
        outputs=[
            RequestedOutput(output.name, read_parameters(output.parameters, f"output {quote(output.name)}"))
            for output in parsed.outputs
        ],
        headers=headers,
    )
    return Call(request, parsed.model_version, bool(raw))


def _inputs(parsed: ModelInferRequest, raw: list[memoryview]) -> list[Tensor]:
    # Once: protobuf makes each message's Python object anew at every walk.
    tensors = list(parsed.inputs)
    if not tensors:
        raise InvalidInput("'inputs' is empty; at least one tensor was expected")
    if raw and len(raw) != len(tensors):
        raise InvalidInput(
            f"raw_input_contents has {len(raw)} entries for {len(tensors)} inputs; "
            "it needs one for each input, in their order, or none at all"
        )
    names: set[str] = set()
    for index, tensor in enumerate(tensors):
        if not tensor.name:
            raise InvalidInput(f"inputs[{index}] has no 'name'")
        if tensor.name in names:
            raise InvalidInput(f"input {quote(tensor.name)} is there twice; names must differ")
        names.add(tensor.name)
    return [_input(tensor, raw[index] if raw else None) for index, tensor in enumerate(tensors)]


def _input(tensor: ModelInferRequest.InferInputTensor, raw: memoryview | None) -> Tensor:
    where = f"input {quote(tensor.name)}"
    datatype = tensor.datatype
    if datatype not in NUMPY_TYPES:
        known = ", ".join(NUMPY_TYPES)
        raise InvalidInput(f"{where}: 'datatype' must be one of {known}, not {describe(datatype)}")
    shape = read_shape(where, tuple(tensor.shape))
    if raw is None:
        data = contents.decode(where, datatype, shape, tensor.contents)
    elif tensor.HasField("contents"):
        raise InvalidInput(f"{where} has both 'contents' and an entry in raw_input_contents; send one of them")
    else:
        data = read_raw(where, datatype, shape, raw)
    return Tensor(tensor.name, datatype, shape, data, read_parameters(tensor.parameters, where))


def read_parameters(parameters: Mapping[str, InferParameter], owner: str) -> Parameters:
    """Read a message's parameters; raises InvalidInput, naming their `owner`, for one without a value."""
    if not parameters:
        return {}
    return {key: _parameter(value, key, owner) for key, value in parameters.items()}


def _parameter(value: InferParameter, key: str, owner: str) -> bool | int | float | str:
    choice = value.WhichOneof("parameter_choice")
    if choice is None:
        raise InvalidInput(f"{owner}: parameter {quote(key)} has no value")
    chosen: bool | int | float | str = getattr(value, choice)
    return chosen


def encode(response: InferenceResponse, call: Call) -> bytes:
    """Serialize the answer to `call`: the outputs that it asks for, raw if its inputs were or if one of them must be.

    Raises InvalidInput for an output that the model does not give, InferenceError or TypeError for what the model
    answered and the protocol cannot carry.
    """
    message = ModelInferResponse(
        model_name=response.model_name,
        model_version=response.model_version or "",
        id=(response.id if response.id is not None else call.request.id) or "",
    )
    if response.parameters:
        put_parameters(response.parameters, message.parameters)
    tensors = [tensor for tensor, _ in chosen(response, call.request)]
    raw = call.raw or any(tensor.datatype not in contents.FIELDS for tensor in tensors)
    pieces: list[bytes | memoryview] = []
    for tensor in tensors:
        data = checked(tensor)
        output = message.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        if tensor.parameters:
            put_parameters(tensor.parameters, output.parameters)
        if raw:
            pieces.append(write_raw(tensor.datatype, data))
        else:
            contents.encode(data, tensor.datatype, output.contents)
    return wire.append(message.SerializeToString(), _RAW_OUTPUTS, pieces)


def put_parameters(parameters: Parameters, message: MutableMapping[str, InferParameter]) -> None:
    """Put parameters into a message's; raises TypeError for one that gRPC cannot carry."""
    for key, value in parameters.items():
        if isinstance(value, bool):
            message[key].bool_param = value
        elif isinstance(value, int):
            setattr(message[key], "int64_param" if value < 2**63 else "uint64_param", value)
        elif isinstance(value, float):
            message[key].double_param = value
        elif isinstance(value, str):
            message[key].string_param = value
        elif value is not None:
            raise TypeError(
                f"parameter {key!r} is of type {type(value).__name__}; gRPC carries bool, int, float and str"
            )
