"""A V2 response to a body: JSON, or JSON followed by the tensors that the caller asked for in binary form."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.codecs.binary import write_raw
from modelwright.codecs.describe import quote
from modelwright.codecs.json_text import write_json
from modelwright.errors import InferenceError, InvalidInput
from modelwright.tensors import NUMPY_TYPES, Array, InferenceRequest, InferenceResponse, Parameters, Tensor

HEADER_LENGTH: Final = "inference-header-content-length"
Body = bytes | list[bytes | memoryview]


def encode(response: InferenceResponse, request: InferenceRequest) -> tuple[Body, dict[str, str]]:
    """Return the body and its headers: one piece of JSON, or a list of the JSON and one piece for each binary output.

    Only the outputs that the request asks for are written, in its order; all of them where it asks for none. Raises
    InvalidInput for an output that the model does not give or that has no JSON form, and InferenceError where the
    model's output is not what it says it is.
    """
    outputs: list[dict[str, Any]] = []
    pieces: list[bytes | memoryview] = []
    for tensor, binary in chosen(response, request):
        # JSON has a tuple as a list.
        item: dict[str, Any] = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
        parameters: Parameters = tensor.parameters
        data = checked(tensor)
        if binary:
            piece = write_raw(tensor.datatype, data)
            parameters = {**parameters, "binary_data_size": len(piece)}
            pieces.append(piece)
        if parameters:
            item["parameters"] = parameters
        if not binary:
            item["data"] = elements(tensor, data)
        outputs.append(item)
    document = _head(response, request)
    document["outputs"] = outputs
    text = write_json(document)
    if not pieces:
        return text, {"content-type": "application/json"}
    return [text, *pieces], {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(text))}


def _head(response: InferenceResponse, request: InferenceRequest) -> dict[str, Any]:
    head: dict[str, Any] = {"model_name": response.model_name}
    if response.model_version is not None:
        head["model_version"] = response.model_version
    identity = response.id if response.id is not None else request.id
    if identity is not None:
        head["id"] = identity
    if response.parameters:
        head["parameters"] = response.parameters
    return head


def chosen(response: InferenceResponse, request: InferenceRequest) -> list[tuple[Tensor, bool]]:
    """Return the outputs to write, and whether each goes in binary form."""
    everywhere = request.parameters.get("binary_data_output") is True
    if not request.outputs:
        return [(tensor, everywhere) for tensor in response.outputs]
    given = {tensor.name: tensor for tensor in response.outputs}
    chosen = []
    for wanted in request.outputs:
        tensor = given.get(wanted.name)
        if tensor is None:
            names = ", ".join(map(quote, given)) or "none"
            raise InvalidInput(f"output {quote(wanted.name)} is not one of the model's: {names}")
        chosen.append((tensor, wanted.parameters.get("binary_data", everywhere) is True))
    return chosen


def checked(tensor: Tensor) -> Array:
    """Return the data as an array of the tensor's own datatype and shape, or say that the model broke its word."""
    wanted = NUMPY_TYPES.get(tensor.datatype)
    data = tensor.data if type(tensor.data) is np.ndarray else np.asarray(tensor.data)
    if wanted is not None and data.dtype == wanted and data.shape == tensor.shape:
        return data
    where = f"the model's output {quote(tensor.name)}"
    if wanted is None:
        raise InferenceError(f"{where} has the unknown datatype {quote(tensor.datatype)}")
    if data.shape != tuple(tensor.shape):
        raise InferenceError(f"{where} says shape {list(tensor.shape)}, but its data has {list(data.shape)}")
    if data.dtype == wanted:
        return data
    if tensor.datatype == "BYTES":
        return data.astype(object)
    if not np.can_cast(data.dtype, wanted, "same_kind"):
        raise InferenceError(f"{where} says {tensor.datatype}, but its data is {data.dtype}")
    return data.astype(wanted)


def elements(tensor: Tensor, data: Array) -> Array | list[str]:
    """Return the flat data as what JSON can be written from. Raises InvalidInput for bytes that are not text."""
    if tensor.datatype != "BYTES":
        return data if data.ndim == 1 else data.ravel()
    try:
        return [item.decode() if isinstance(item, bytes) else str(item) for item in data.reshape(-1).tolist()]
    except UnicodeDecodeError:
        raise InvalidInput(
            f"output {quote(tensor.name)} holds bytes that are not text, which JSON cannot carry; "
            "ask for it with the parameter 'binary_data': true"
        ) from None
