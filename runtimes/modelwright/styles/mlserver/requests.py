"""A request of ours becomes the `InferenceRequest` that the author's `predict` takes, of whichever library it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelwright.errors import InvalidInput
from modelwright.styles.mlserver.cloudevents import CloudEvents
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library import types as ours
from modelwright.styles.mlserver.library.types.fields import HeldRequest, HeldTensor, hold
from modelwright.styles.mlserver.library.types.tensor_data import TensorData, as_text, as_they_are
from modelwright.tensors import InferenceRequest, RequestedOutput, Tensor
from modelwright.tensors import Parameters as Given

_new: Final[Foreign] = object.__new__
_ours: Final = ours
_Request: Final = ours.InferenceRequest
_Input: Final = ours.RequestInput
_Parameters: Final = ours.Parameters
_as_they_are: Final = as_they_are


class Headers:
    """What an author finds in `parameters.headers`: what was sent, and CloudEvents' beside it."""

    def __init__(self, sent: Mapping[str, str], events: CloudEvents, known_as: str) -> None:
        self._sent = sent
        self._events = events
        self._known_as = known_as

    def together(self) -> dict[str, str]:
        """Put them together."""
        return {**self._sent, **self._events.of_request(self._known_as)}

    def __call__(self) -> Foreign:
        """Return the parameters of a request that was sent with none, which most are."""
        made = _new(_Parameters)
        made._headers = self.together
        return made


def inference_request(types: Foreign, request: InferenceRequest, events: CloudEvents, known_as: str) -> Foreign:
    """Wrap a request; with our types no tensor is copied, and what few authors look at is made when they do.

    Its headers stand in `parameters.headers`, in the place of any that the caller has put there, with those of
    `events`, and it is `known_as` that id.

    Raises:
        InvalidInput: a parameter that MLServer gives a meaning to is of another type.

    """
    sent, asked = request.headers, request.parameters
    # HTTP has a Host header, gRPC's metadata never does. Over REST MLServer's authors know bytes as text.
    text = "host" in sent
    headers = Headers(sent, events, known_as)
    if types is _ours:
        # What the codec has checked needs no constructor to check it, here and below.
        tensors: list[Foreign] = request.inputs
        made = HeldRequest.of(_Request, known_as, [_input(each, text) for each in tensors], headers)
        if asked:
            made.parameters = given = _given(asked)
            # In the place of any that the caller has put there.
            given.__dict__.pop("headers", None)
            given._headers = headers.together
        if request.outputs:
            made.outputs = [_output(types, each) for each in request.outputs]
        return made
    return types.InferenceRequest.model_construct(
        id=known_as,
        parameters=types.Parameters(**{**_checked(asked), "headers": headers.together()}),
        inputs=[_genuine_input(types, each, text) for each in request.inputs],
        outputs=[_output(types, each) for each in request.outputs] if request.outputs else None,
    )


def _given(parameters: Given) -> Foreign:
    made = _new(_Parameters)
    made.__dict__ = _checked(parameters)
    return made


def _input(tensor: Tensor, text: bool) -> HeldTensor:
    lengths, datatype, parameters = tensor.shape, tensor.datatype, tensor.parameters
    made = HeldTensor.of(_Input, tensor.name, list(lengths), datatype, None)
    if datatype == "BYTES":
        made.data = TensorData.of(tensor.data, as_text if text else as_they_are)
    else:
        hold(made, tensor.data, lengths, _as_they_are)
    if parameters:
        made.parameters = _given(parameters)
    return made


def _genuine_input(types: Foreign, tensor: Tensor, text: bool) -> Foreign:
    elements = as_text(tensor.data) if text else as_they_are(tensor.data)
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
