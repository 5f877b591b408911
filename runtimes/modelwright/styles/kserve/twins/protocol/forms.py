"""Requests and responses in their wire forms: JSON with bytes behind it, and gRPC's dicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from modelwright.styles.kserve.twins.constants.constants import GRPC_CONTENT_DATATYPE_MAPPINGS
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferTensor
from modelwright.styles.kserve.twins.protocol.parameters import get_content, to_grpc_parameters, to_http_parameters

Kind = TypeVar("Kind", bound=InferTensor)


def rest_tensor(tensor: InferTensor, kind: str, model_name: str) -> dict[str, Any]:
    """Return a tensor's part of the JSON, without `data` where it travels raw.

    Raises InvalidInput for what cannot go.
    """
    if tensor.is_empty:
        raise InvalidInput(f"'data' field is missing for {kind} '{tensor.name}' for model '{model_name}'")
    if tensor.datatype == "FP16" and tensor._raw_data is None:
        raise InvalidInput(
            f"Sending FP16 data via JSON is not supported. Please use the binary data format for {kind} {tensor.name}"
        )
    part: dict[str, Any] = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
    if tensor.parameters:
        part["parameters"] = to_http_parameters(tensor.parameters)
    if tensor._raw_data is None:
        part["data"] = tensor.data
    return part


def with_raw(message: dict[str, Any], raw: Sequence[bytes]) -> tuple[bytes | dict[str, Any], int | None]:
    """Return the message as it is, or, with raw tensors, as bytes and the length of their JSON part."""
    if not raw:
        return message, None
    head = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return b"".join([head, *raw]), len(head)


def parse(message: bytes, json_length: int) -> dict[str, Any]:
    """Read the JSON part of a body; raises InvalidInput where it is not a JSON object."""
    try:
        parsed = json.loads(message[:json_length])
    except ValueError as error:
        raise InvalidInput(f"Unrecognized request format: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput("Unrecognized request format: expected a JSON object")
    return parsed


def tensors_from_rest(
    kind: type[Kind], parts: Sequence[dict[str, Any]], body: bytes, offset: int, model_name: str
) -> list[Kind]:
    """Make tensors of JSON parts and of the raw bytes that follow at `offset`; raises InvalidInput without data."""
    word = kind.__name__.removeprefix("Infer").lower()
    made = []
    for part in parts:
        parameters = part.get("parameters")
        tensor = kind(part["name"], part["shape"], part["datatype"], part.get("data"), parameters)
        if tensor.data is not None:
            if tensor.datatype == "FP16":
                raise InvalidInput(
                    "Receiving FP16 data via JSON is not supported. Please use the binary data format "
                    f"for {word} {tensor.name}"
                )
        elif parameters and parameters.get("binary_data_size") is not None:
            end = offset + parameters["binary_data_size"]
            tensor._raw_data = body[offset:end]
            tensor.take(tensor.as_numpy(), binary_data=False)
            offset = end
        else:
            raise InvalidInput(f"'data' field is missing for {word} '{tensor.name}' for model '{model_name}'")
        made.append(tensor)
    return made


def tensors_from_grpc(kind: type[Kind], parts: Sequence[Any]) -> list[Kind]:
    """Make tensors of gRPC ones; their raw contents, if any, come apart."""
    return [
        kind(
            part.name,
            list(part.shape),
            part.datatype,
            get_content(part.datatype, part.contents),
            to_http_parameters(part.parameters) if part.parameters else None,
        )
        for part in parts
    ]


def tensors_to_grpc(tensors: Sequence[InferTensor]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the tensors' parts and their raw contents, for all of them or none; raises InvalidInput for no list."""
    if any(tensor.in_array for tensor in tensors):
        for tensor in tensors:
            if tensor._raw_data is None:
                tensor.take(tensor.as_numpy(), binary_data=True)
    parts, raw = [], []
    for tensor in tensors:
        part: dict[str, Any] = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
        if tensor.parameters:
            part["parameters"] = to_grpc_parameters(tensor.parameters)
        if tensor._raw_data is not None:
            raw.append(tensor._raw_data)
        else:
            part["contents"] = {_field(tensor): _elements(tensor)}
        parts.append(part)
    return parts, raw


def _field(tensor: InferTensor) -> str:
    field = GRPC_CONTENT_DATATYPE_MAPPINGS.get(tensor.datatype)
    if field is None:
        raise InvalidInput(f"datatype {tensor.datatype} of '{tensor.name}' travels over gRPC in raw form only")
    return field


def _elements(tensor: InferTensor) -> list[Any]:
    if not isinstance(tensor.data, list):
        raise InvalidInput(f"data of '{tensor.name}' is not a List")
    # A list nested as the shape says is flat on this wire.
    flat = tensor.as_numpy().ravel().tolist() if tensor.data and isinstance(tensor.data[0], list) else tensor.data
    return [item.encode("utf-8") if isinstance(item, str) else item for item in flat]
