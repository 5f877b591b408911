"""What is asked of a model, and what it answers, as values that `values` carries."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modelwright import errors
from modelwright.errors import AuthorError, InferenceError
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import InferenceRequest, InferenceResponse, RequestedOutput, Tensor

_PACKAGE: Final = f"{Path(__file__).parents[1]}/"
# Of Python: a call goes through its threads and its import system.
_LIBRARY: Final = f"{Path(traceback.__file__).parent}/"
_TYPED: Final = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InferenceError)
}


def from_request(request: InferenceRequest) -> list[Any]:
    """Take a request apart."""
    return [
        request.model_name,
        [_from_tensor(each) for each in request.inputs],
        request.id,
        request.parameters,
        [[each.name, each.parameters] for each in request.outputs],
        request.headers,
    ]


def to_request(value: list[Any]) -> InferenceRequest:
    """Put a request together."""
    name, inputs, identity, parameters, outputs, headers = value
    return InferenceRequest(
        name,
        [_to_tensor(each) for each in inputs],
        identity,
        parameters,
        [RequestedOutput(name, parameters) for name, parameters in outputs],
        headers,
    )


def from_response(response: InferenceResponse) -> list[Any]:
    """Take a response apart."""
    outputs = [_from_tensor(each) for each in response.outputs]
    return [outputs, response.id, response.model_version, response.parameters, response.headers]


def to_response(model_name: str, value: list[Any]) -> InferenceResponse:
    """Put the response of the model that is served as `model_name` together."""
    outputs, identity, version, parameters, headers = value
    return InferenceResponse(
        model_name, [_to_tensor(each) for each in outputs], identity, version, parameters, dict(headers)
    )


def _from_tensor(tensor: Tensor) -> list[Any]:
    return [tensor.name, tensor.datatype, list(tensor.shape), tensor.data, tensor.parameters]


def _to_tensor(value: list[Any]) -> Tensor:
    name, datatype, shape, data, parameters = value
    return Tensor(name, datatype, tuple(shape), data, parameters)


def from_payload(payload: object) -> list[Any]:
    """Give a V1 body or answer: JSON as text, which the standard library reads faster than Python can; else as it is.

    Raises TypeError naming the type that has no JSON form.
    """
    if payload is None or isinstance(payload, str | bytes):
        return ["as-is", payload]
    return ["json", json.dumps(payload, default=_plain)]


def to_payload(value: list[Any]) -> Any:  # noqa: ANN401 - JSON
    """Give the V1 body or answer."""
    form, content = value
    return json.loads(content) if form == "json" else content


def _plain(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode()
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        return to_list()
    raise TypeError(
        f"a value of type {type(value).__name__} has no JSON form; return dicts, lists, numbers, strings or arrays"
    )


def from_metadata(metadata: ModelMetadata) -> list[Any]:
    """Take a model's description apart."""
    tensors = [
        [[each.name, each.datatype, list(each.shape)] for each in side] for side in (metadata.inputs, metadata.outputs)
    ]
    return [metadata.platform, list(metadata.versions), metadata.binding, dict(metadata.parameters), *tensors]


def to_metadata(model_name: str, value: list[Any]) -> ModelMetadata:
    """Put the description of the model that is served as `model_name` together."""
    platform, versions, binding, parameters, *sides = value
    inputs, outputs = (tuple(TensorMetadata(name, kind, tuple(shape)) for name, kind, shape in side) for side in sides)
    return ModelMetadata(model_name, platform, tuple(versions), inputs, outputs, binding, parameters)


def from_error(error: BaseException) -> dict[str, Any]:
    """Take apart what was raised: a refusal by its kind, all else with the author's traceback."""
    told = {"type": type(error).__name__, "module": type(error).__module__, "message": str(error)}
    if isinstance(error, InferenceError) and type(error).__name__ in _TYPED:
        return told | {"retry_after": getattr(error, "retry_after", None)}
    return told | {"traceback": _authors_traceback(error)}


def _authors_traceback(error: BaseException) -> str:
    """Format what was raised from the author's first line on."""
    frame = error.__traceback__
    while frame is not None and _is_ours(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame or error.__traceback__))


def _is_ours(file: str) -> bool:
    return file.startswith((_PACKAGE, _LIBRARY, "<frozen")) and "site-packages" not in file.removeprefix(_PACKAGE)


def to_error(value: Mapping[str, Any]) -> Exception:
    """Put together what was raised there."""
    kind = _TYPED.get(value["type"]) if "traceback" not in value else None
    if kind is not None:
        more = {} if value["retry_after"] is None else {"retry_after": value["retry_after"]}
        return kind(value["message"], **more)
    # Of the author's own name: logs and messages read as they do for a model in the server's process.
    named: type[AuthorError] = type(value["type"], (AuthorError,), {"__module__": value["module"]})
    return named(value["message"], value.get("traceback", ""))
