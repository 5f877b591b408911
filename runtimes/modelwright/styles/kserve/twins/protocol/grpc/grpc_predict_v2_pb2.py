"""kserve.protocol.grpc.grpc_predict_v2_pb2: the server's own messages.

The genuine module declares the same protobuf names again, which one process cannot hold twice.
"""

from modelwright.codecs.proto.open_inference_grpc_pb2 import *  # noqa: F403
from modelwright.codecs.proto.open_inference_grpc_pb2 import InferParameter, ModelInferRequest, ModelInferResponse

__all__ = ["InferParameter", "ModelInferRequest", "ModelInferResponse"]
