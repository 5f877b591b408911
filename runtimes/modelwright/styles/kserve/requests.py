"""A request of ours becomes the InferRequest that the author's method takes."""

from __future__ import annotations

import numpy as np

from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest, RequestedOutput
from modelwright.styles.kserve.twins.protocol.infer_tensor import Array, InferInput
from modelwright.tensors import InferenceRequest, Tensor


def infer_request(request: InferenceRequest) -> InferRequest:
    """Wrap the request's tensors without copying them."""
    # HTTP has a Host header, gRPC's metadata never does.
    from_grpc = "host" not in request.headers
    wanted = request.outputs
    made = InferRequest.__new__(InferRequest)
    # What the codec has checked needs no constructor, and each call of one costs as much as a small model.
    made.__dict__ = {
        "id": request.id,
        "model_name": request.model_name,
        "inputs": [_input(tensor, from_grpc) for tensor in request.inputs],
        "parameters": request.parameters or None,
        "from_grpc": from_grpc,
        "_use_raw_outputs": False,
        "request_outputs": [RequestedOutput(each.name, each.parameters) for each in wanted] if wanted else None,
        "model_version": None,
    }
    return made


def _input(tensor: Tensor, from_grpc: bool) -> InferInput:
    datatype, data = tensor.datatype, tensor.data
    made = InferInput.__new__(InferInput)
    # kserve keeps REST's list as the caller nested it, and gRPC's is flat. How it was nested is gone by now; nested as
    # the shape says is what both `np.array(data)` and `np.array(data).reshape(shape)` read right.
    made.__dict__ = {
        "_name": tensor.name,
        "_shape": list(tensor.shape),
        "_datatype": datatype,
        "_parameters": dict(tensor.parameters),
        "_data": None,
        "_raw_data": None,
        "_array": _as_text(data) if datatype == "BYTES" and not from_grpc else data,
        "_nested": not from_grpc,
    }
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
