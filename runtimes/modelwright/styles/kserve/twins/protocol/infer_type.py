"""kserve.protocol.infer_type: requests and responses of the V2 protocol as authors handle them."""

from __future__ import annotations

from modelwright.styles.kserve.twins.protocol.bytes_tensor import deserialize_bytes_tensor, serialize_byte_tensor
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest, RequestedOutput
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferInput, InferOutput
from modelwright.styles.kserve.twins.protocol.parameters import get_content, to_grpc_parameters, to_http_parameters

__all__ = [
    "InferInput",
    "InferOutput",
    "InferRequest",
    "InferResponse",
    "RequestedOutput",
    "deserialize_bytes_tensor",
    "get_content",
    "serialize_byte_tensor",
    "to_grpc_parameters",
    "to_http_parameters",
]
