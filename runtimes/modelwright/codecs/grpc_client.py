"""The other direction of `codecs.grpc`: a request's tensors to a message, a response's message to tensors.

Tensors go out raw, which every datatype can, and are read in either form.
"""

from __future__ import annotations

from modelwright.codecs.binary import read_raw, write_raw
from modelwright.codecs.describe import quote
from modelwright.codecs.grpc import put_parameters, read_parameters
from modelwright.codecs.proto import contents
from modelwright.codecs.proto.open_inference_grpc_pb2 import ModelInferRequest, ModelInferResponse
from modelwright.errors import InvalidInput
from modelwright.tensors import NUMPY_TYPES, InferenceRequest, InferenceResponse, Tensor


def encode_request(request: InferenceRequest) -> ModelInferRequest:
    """Make the message; raises TypeError for a parameter that gRPC cannot carry."""
    message = ModelInferRequest(model_name=request.model_name, id=request.id or "")
    put_parameters(request.parameters, message.parameters)
    for tensor in request.inputs:
        entry = message.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        put_parameters(tensor.parameters, entry.parameters)
        message.raw_input_contents.append(bytes(write_raw(tensor.datatype, tensor.data)))
    for output in request.outputs:
        # How a body would be written is between client and server over REST.
        wanted = {key: value for key, value in output.parameters.items() if key != "binary_data"}
        put_parameters(wanted, message.outputs.add(name=output.name).parameters)
    return message


def decode_response(message: ModelInferResponse) -> InferenceResponse:
    """Read the message; raises InvalidInput where a tensor is not what it says it is."""
    raw = list(message.raw_output_contents)
    if raw and len(raw) != len(message.outputs):
        raise InvalidInput(f"raw_output_contents has {len(raw)} entries for {len(message.outputs)} outputs")
    return InferenceResponse(
        message.model_name,
        [_output(each, raw[place] if raw else None) for place, each in enumerate(message.outputs)],
        message.id or None,
        message.model_version or None,
        read_parameters(message.parameters, "the answer"),
    )


def _output(entry: ModelInferResponse.InferOutputTensor, raw: bytes | None) -> Tensor:
    where, shape = f"output {quote(entry.name)}", tuple(entry.shape)
    if entry.datatype not in NUMPY_TYPES:
        raise InvalidInput(f"{where} has datatype {quote(entry.datatype)}, which is none of the protocol's")
    data = (
        contents.decode(where, entry.datatype, shape, entry.contents)
        if raw is None
        else read_raw(where, entry.datatype, shape, raw)
    )
    return Tensor(entry.name, entry.datatype, shape, data, read_parameters(entry.parameters, where))
