"""A request of ours becomes the `InferenceRequest` that the author's `predict` takes, of whichever library it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import getrandbits
from typing import Final

from modelwright.errors import InvalidInput
from modelwright.styles.mlserver.cloudevents import CloudEvents
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library import types as ours
from modelwright.tensors import InferenceRequest, RequestedOutput, Tensor
from modelwright.tensors import Parameters as Given

_new: Final = object.__new__


def inference_request(types: Foreign, request: InferenceRequest, events: CloudEvents) -> Foreign:
    """Wrap a request; with our types no tensor is copied.

    Its headers stand in `parameters.headers`, in the place of any that the caller has put there, with those of
    `events`, and it has an id.

    Raises:
        InvalidInput: a parameter that MLServer gives a meaning to is of another type.

    """
    # HTTP has a Host header, gRPC's metadata never does. Over REST MLServer's authors know bytes as text.
    text = "host" in request.headers
    known_as = request.id or identity()
    headers = partial(_headers, request.headers, events, known_as)
    outputs = [_output(types, each) for each in request.outputs] if request.outputs else None
    if types is ours:
        # What the codec has checked needs no constructor to check it, here and below.
        given = _new(ours.Parameters)
        given.__dict__ = _checked(request.parameters) if request.parameters else {}
        # In the place of any that the caller has put there.
        given.__dict__.pop("headers", None)
        given.__dict__["_headers"] = headers
        made = _new(ours.InferenceRequest)
        inputs = [_input(each, text) for each in request.inputs]
        made.__dict__ = {"id": known_as, "parameters": given, "inputs": inputs, "outputs": outputs}
        return made
    return types.InferenceRequest.model_construct(
        id=known_as,
        parameters=types.Parameters(**{**_checked(request.parameters), "headers": headers()}),
        inputs=[_genuine_input(types, each, text) for each in request.inputs],
        outputs=outputs,
    )


def _headers(sent: Mapping[str, str], events: CloudEvents, known_as: str) -> dict[str, str]:
    return {**sent, **events.of_request(known_as)}


def identity() -> str:
    """Return an id for a request that has none: a UUID of version 4, at a tenth of the standard library's price."""
    # A name and no secret; Python seeds each forked process anew.
    text = f"{getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _input(tensor: Tensor, text: bool) -> ours.RequestInput:
    parameters = None
    if tensor.parameters:
        parameters = _new(ours.Parameters)
        parameters.__dict__ = _checked(tensor.parameters)
    made = _new(ours.RequestInput)
    made.__dict__ = {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "datatype": tensor.datatype,
        "data": ours.TensorData.of(tensor.data, text=text),
        "parameters": parameters,
    }
    return made


def _genuine_input(types: Foreign, tensor: Tensor, text: bool) -> Foreign:
    elements = ours.TensorData.of(tensor.data, text=text).root
    return types.RequestInput.model_construct(
        name=tensor.name,
        shape=list(tensor.shape),
        datatype=tensor.datatype,
        data=types.TensorData.model_construct(root=elements),
        parameters=types.Parameters(**_checked(tensor.parameters)) if tensor.parameters else None,
    )


def _output(types: Foreign, requested: RequestedOutput) -> Foreign:
    parameters = types.Parameters(**_checked(requested.parameters)) if requested.parameters else None
    return types.RequestOutput(name=requested.name, parameters=parameters)


def _checked(parameters: Given) -> Given:
    content_type = parameters.get("content_type")
    if content_type is not None and not isinstance(content_type, str):
        raise InvalidInput(f"the parameter 'content_type' must be a string, not {type(content_type).__name__}")
    # What a caller sends stands for no attribute that the library or its author keeps there.
    return {
        name: value
        for name, value in parameters.items()
        if name in ours.Parameters.FIELDS or not (name.startswith("_") or hasattr(ours.Parameters, name))
    }
