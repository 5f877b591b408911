"""Decoding by content type: the request's own first, then what the model's settings say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, TypeAlias

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import (
    InputCodecLike,
    RequestCodec,
    RequestCodecLike,
    find_input_codec,
    find_input_codec_by_payload,
    find_request_codec,
    find_request_codec_by_payload,
)
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.types import (
    InferenceRequest,
    InferenceResponse,
    MetadataTensor,
    Parameters,
    RequestInput,
    RequestOutput,
    ResponseOutput,
)

DefaultOutputPrefix = "output-"
DefaultInputPrefix = "input-"
DecodedParameterName = "_decoded_payload"

InputOrOutput: TypeAlias = RequestInput | ResponseOutput
Codec: TypeAlias = InputCodecLike | RequestCodecLike
Parametrised: TypeAlias = InferenceRequest | RequestInput | RequestOutput | ResponseOutput | InferenceResponse
_NONE: Mapping[str, MetadataTensor] = MappingProxyType({})


def inject_batch_dimension(shape: list[int]) -> list[int]:
    """Return the shape with a second dimension of 1 where it has only one."""
    return shape if len(shape) > 1 else [*shape, 1]


def _content_type(given: Foreign, declared: Foreign = None) -> str | None:
    for each in (given, declared):
        if each is not None and each.parameters and each.parameters.content_type:
            known: str = each.parameters.content_type
            return known
    return None


def _save_decoded(parametrised: Parametrised, payload: Foreign) -> None:
    if not parametrised.parameters:
        parametrised.parameters = Parameters()
    setattr(parametrised.parameters, DecodedParameterName, payload)


def encode_response_output(
    payload: Foreign, request_output: RequestOutput, metadata_outputs: Mapping[str, MetadataTensor] = _NONE
) -> ResponseOutput | None:
    """Make the output that was asked for; None where no codec is known for it."""
    content_type = _content_type(request_output, metadata_outputs.get(request_output.name))
    codec = find_input_codec(content_type) if content_type else find_input_codec_by_payload(payload)
    return codec.encode_output(name=request_output.name, payload=payload) if codec else None


def encode_inference_response(payload: Foreign, model_settings: Foreign) -> InferenceResponse | None:
    """Make a response by the payload's type; None where no codec is known for it."""
    codec = find_request_codec_by_payload(payload)
    return codec.encode_response(model_settings.name, payload, model_settings.version) if codec else None


def decode_request_input(request_input: RequestInput, metadata_inputs: Mapping[str, MetadataTensor] = _NONE) -> Foreign:
    """Decode an input by its content type and keep that with it; None where it has none."""
    content_type = _content_type(request_input, metadata_inputs.get(request_input.name))
    codec = find_input_codec(content_type) if content_type else None
    if codec is None:
        return None
    decoded = codec.decode_input(request_input)
    _save_decoded(request_input, decoded)
    return decoded


def decode_inference_request(
    inference_request: InferenceRequest,
    model_settings: Foreign = None,
    metadata_inputs: Mapping[str, MetadataTensor] = _NONE,
) -> Foreign:
    """Decode a request's inputs, and the request by its own content type; the request itself where it has none."""
    for request_input in inference_request.inputs:
        decode_request_input(request_input, metadata_inputs)
    content_type = _content_type(inference_request, model_settings)
    codec = find_request_codec(content_type) if content_type else None
    if codec is None:
        return inference_request
    decoded = codec.decode_request(inference_request)
    _save_decoded(inference_request, decoded)
    return decoded


def has_decoded(parametrised: Parametrised) -> bool:
    """Say whether what was decoded is kept with it."""
    return parametrised.parameters is not None and DecodedParameterName in vars(parametrised.parameters)


def get_decoded(parametrised: Parametrised) -> Foreign:
    """Return what was decoded; None where nothing was."""
    return getattr(parametrised.parameters, DecodedParameterName) if has_decoded(parametrised) else None


def get_decoded_or_raw(parametrised: Parametrised) -> Foreign:
    """Return what was decoded, else the data of an input or output, else the thing itself."""
    if has_decoded(parametrised):
        return get_decoded(parametrised)
    return parametrised.data if isinstance(parametrised, RequestInput | ResponseOutput) else parametrised


class SingleInputRequestCodec(RequestCodec):
    """A request that is its one input."""

    InputCodec: ClassVar[InputCodecLike | None] = None

    @classmethod
    def _inner(cls) -> InputCodecLike:
        if cls.InputCodec is None:
            raise NotImplementedError(f"No input codec found for {cls} request codec")
        return cls.InputCodec

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Say whether the input's codec is for such a payload."""
        return cls.InputCodec is not None and cls.InputCodec.can_encode(payload)

    @classmethod
    def encode_response(
        cls, model_name: str, payload: Foreign, model_version: str | None = None, **kwargs: Foreign
    ) -> InferenceResponse:
        """Make a response with the one output `output-1`."""
        made: InferenceResponse = InferenceResponse(
            model_name=model_name,
            model_version=model_version,
            parameters=Parameters(content_type=cls.ContentType),
            outputs=[cls._inner().encode_output(f"{DefaultOutputPrefix}1", payload, **kwargs)],
        )
        return made

    @classmethod
    def decode_response(cls, response: InferenceResponse) -> Foreign:
        """Decode the one output."""
        cls._only(response.outputs, "output")
        return cls._decoded(response.outputs[0], lambda output: cls._inner().decode_output(output))

    @classmethod
    def encode_request(cls, payload: Foreign, **kwargs: Foreign) -> InferenceRequest:
        """Make a request with the one input `input-1`."""
        return InferenceRequest(
            inputs=[cls._inner().encode_input(f"{DefaultInputPrefix}1", payload, **kwargs)],
            parameters=Parameters(content_type=cls.ContentType),
        )

    @classmethod
    def decode_request(cls, request: InferenceRequest) -> Foreign:
        """Decode the one input."""
        cls._only(request.inputs, "input")
        return cls._decoded(request.inputs[0], lambda given: cls._inner().decode_input(given))

    @classmethod
    def _only(cls, tensors: Foreign, what: str) -> None:
        if len(tensors) != 1:
            raise CodecError(
                f"The '{cls.ContentType}' codec only supports a single {what} tensor ({len(tensors)} were received)"
            )

    @classmethod
    def _decoded(cls, tensor: InputOrOutput, decode: Foreign) -> Foreign:
        if not has_decoded(tensor) and cls.InputCodec is not None:
            _save_decoded(tensor, decode(tensor))
        return get_decoded_or_raw(tensor)
