"""Parameters and contents as gRPC messages and as plain Python values.

The messages are told by their shape, not by their class, so that this module needs no protobuf.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.constants.constants import GRPC_CONTENT_DATATYPE_MAPPINGS
from modelwright.styles.kserve.twins.errors import InvalidInput


def to_http_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters whose values are plain."""
    return {key: plain(value) for key, value in parameters.items()}


def plain(value: Foreign) -> Foreign:
    """Return the value inside an InferParameter, anything else as it is."""
    if not hasattr(value, "WhichOneof"):
        return value
    chosen = value.WhichOneof("parameter_choice")
    return None if chosen is None else getattr(value, chosen)


def to_grpc_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as InferParameter messages; raises InvalidInput for a value that has no such form."""
    return {key: _message(value) for key, value in parameters.items()}


def _message(value: Foreign) -> Foreign:
    # protobuf is imported only where gRPC messages are made.
    from modelwright.styles.kserve.twins.protocol.grpc import grpc_predict_v2_pb2 as pb  # noqa: PLC0415

    if isinstance(value, str):
        return pb.InferParameter(string_param=value)
    if isinstance(value, bool):
        return pb.InferParameter(bool_param=value)
    if isinstance(value, int):
        return pb.InferParameter(int64_param=value)
    if isinstance(value, pb.InferParameter):
        return value
    raise InvalidInput(f"to_grpc: invalid parameter value: {value}")


def get_content(datatype: str, data: Foreign) -> list[Any]:
    """Return the elements of an InferTensorContents; FP16 has none there, it travels raw."""
    if datatype == "FP16":
        return []
    field = GRPC_CONTENT_DATATYPE_MAPPINGS.get(datatype)
    if field is None:
        raise InvalidInput("invalid content type")
    return list(getattr(data, field))
