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
    return InferRequest(
        model_name=request.model_name,
        infer_inputs=[_input(tensor, from_grpc) for tensor in request.inputs],
        request_id=request.id,
        from_grpc=from_grpc,
        parameters=request.parameters or None,
        request_outputs=[RequestedOutput(output.name, output.parameters) for output in request.outputs] or None,
    )


def _input(tensor: Tensor, from_grpc: bool) -> InferInput:
    made = InferInput(tensor.name, list(tensor.shape), tensor.datatype, None, dict(tensor.parameters))
    text = tensor.datatype == "BYTES" and not from_grpc
    # kserve keeps REST's list as the caller nested it, and gRPC's is flat. How it was nested is gone by now; nested as
    # the shape says is what both `np.array(data)` and `np.array(data).reshape(shape)` read right.
    made.hold(_as_text(tensor.data) if text else tensor.data, nested=not from_grpc)
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
