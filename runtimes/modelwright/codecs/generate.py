"""Triton's generate extension: a request and its answer as one flat JSON object, such as ``{"text_input": "..."}``.

Source: https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_generate.html
A body that has ``inputs`` is an inference request, which MLServer takes under the same paths; any other is flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelwright.codecs import numbers
from modelwright.codecs.describe import describe, quote
from modelwright.codecs.document import parse_json
from modelwright.codecs.json_text import write_json
from modelwright.codecs.writing import HEADER_LENGTH, checked, chosen, elements
from modelwright.errors import InvalidInput
from modelwright.tensors import InferenceRequest, InferenceResponse, Parameters, Tensor

TEXT_INPUT: Final = "text_input"
# What a model that declares no inputs has: the one field that the extension names.
_TEXT_ONLY: Final[Mapping[str, tuple[str, int]]] = {TEXT_INPUT: ("BYTES", 1)}


def is_flat(body: bytes, headers: Mapping[str, str]) -> bool:
    """Tell whether a body is a flat object. Raises InvalidInput for what is no JSON."""
    if HEADER_LENGTH in headers:
        return False
    document = parse_json(body)
    return isinstance(document, dict) and "inputs" not in document


def decode(body: bytes, declared: Mapping[str, tuple[str, int]]) -> InferenceRequest:
    """Return the request in a flat body: fields that are inputs become tensors, the others parameters.

    `declared` holds each input's datatype and number of dimensions; a model that declares none takes `text_input`.
    A value is one element, a list a row of them. Raises InvalidInput naming the field and what was expected.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise InvalidInput(f"the body must be a JSON object, not {describe(document)}")
    parameters = _parameters(document.pop("parameters", None))
    identity = document.pop("id", None)
    if identity is not None and not isinstance(identity, str):
        raise InvalidInput(f"'id' must be a string, not {describe(identity)}")
    known = declared or _TEXT_ONLY
    inputs = [_tensor(name, document.pop(name), *known[name]) for name in known if name in document]
    if not inputs:
        wanted = ", ".join(map(repr, known))
        raise InvalidInput(f"the body has no input; expected {wanted}, or 'inputs' with a list of tensors")
    return InferenceRequest("", inputs, identity, parameters | _parameters(document))


def _tensor(name: str, value: object, datatype: str, dimensions: int) -> Tensor:
    items = value if isinstance(value, list) else [value]
    where = f"input {quote(name)}"
    if any(isinstance(item, list | dict) for item in items):
        raise InvalidInput(f"{where} must be a value or a flat list of them; send more under 'inputs'")
    shape = (1,) * (dimensions - 1) + (len(items),)
    data, _ = numbers.read_data(where, datatype, (len(items),), items)
    return Tensor(name, datatype, shape, data.reshape(shape))


def _parameters(value: object) -> Parameters:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"'parameters' must be an object, not {describe(value)}")
    for key, each in value.items():
        if not isinstance(each, bool | int | float | str):
            raise InvalidInput(
                f"{quote(key)} is no input of the model and so a parameter, "
                f"which must be a string, a number, true or false, not {describe(each)}"
            )
    return value


def encode(response: InferenceResponse, request: InferenceRequest) -> bytes:
    """Return the flat answer: parameters and outputs by name, an output of one element without its list.

    Raises InvalidInput for bytes that are not text, InferenceError where the model's output is not what it says it is.
    """
    flat: dict[str, Any] = dict(response.parameters)
    for tensor, _ in chosen(response, request):
        values = elements(tensor, checked(tensor))
        flat[tensor.name] = values[0] if len(values) == 1 else values
    identity = response.id if response.id is not None else request.id
    known = {"id": identity, "model_name": response.model_name, "model_version": response.model_version}
    return write_json(flat | {name: value for name, value in known.items() if value is not None})
