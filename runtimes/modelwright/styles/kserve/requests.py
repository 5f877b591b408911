"""A request of ours becomes the InferRequest that the author's method takes."""

from __future__ import annotations

from typing import Final

import numpy as np

from modelwright.styles.kserve.twins.protocol.fields import RequestFields, TensorFields, holding, new_request
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest, RequestedOutput
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferInput
from modelwright.tensors import Array, InferenceRequest, Tensor

_Request: Final = InferRequest
_Input: Final = InferInput


def infer_request(request: InferenceRequest) -> RequestFields:
    """Wrap the request's tensors without copying them."""
    # HTTP has a Host header, gRPC's metadata never does.
    from_grpc = "host" not in request.headers
    wanted = request.outputs
    # What the codec has checked needs no constructor.
    made: RequestFields = new_request(_Request)
    made.id = request.id
    made.model_name = request.model_name
    made.inputs = [_input(tensor, from_grpc) for tensor in request.inputs]
    made.parameters = request.parameters or None
    made._use_raw_outputs = False
    made.request_outputs = [RequestedOutput(each.name, each.parameters) for each in wanted] if wanted else None
    made.model_version = None
    made._from_grpc = from_grpc
    return made


def _input(tensor: Tensor, from_grpc: bool) -> TensorFields:
    datatype, data = tensor.datatype, tensor.data
    if datatype == "BYTES" and not from_grpc:
        data = _as_text(data)
    # kserve keeps REST's list as the caller nested it, and gRPC's is flat. How it was nested is gone by now; nested as
    # the shape says is what both `np.array(data)` and `np.array(data).reshape(shape)` read right.
    made = holding(_Input, tensor.name, list(tensor.shape), datatype, data, nested=not from_grpc)
    made._parameters = tensor.parameters
    return made


def _as_text(array: Array) -> Array:
    """Return BYTES that are all text as str, as kserve's authors know them over REST; others stay bytes."""
    try:
        texts = [item.decode("utf-8") for item in array.ravel().tolist()]
    except UnicodeDecodeError:
        return array
    made = np.empty(len(texts), dtype=object)
    made[:] = texts
    return made.reshape(array.shape)
