"""`MLModel`, which authors subclass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from operator import attrgetter

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.errors import CodecNotFound
from modelwright.styles.mlserver.library.codecs.utils import (
    decode_inference_request,
    decode_request_input,
    encode_inference_response,
    encode_response_output,
    get_decoded,
    has_decoded,
)
from modelwright.styles.mlserver.library.settings import ModelSettings
from modelwright.styles.mlserver.library.types import (
    InferenceRequest,
    InferenceResponse,
    MetadataModelResponse,
    MetadataTensor,
    Parameters,
    RequestInput,
    RequestOutput,
    ResponseOutput,
)


def _by_name(tensors: list[MetadataTensor] | None) -> dict[str, MetadataTensor]:
    return {each.name: each for each in tensors or ()}


class MLModel:
    """A model: `load` makes it ready, `predict` answers requests, `unload` gives back what it holds."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._inputs_index = _by_name(settings.inputs)
        self._outputs_index = _by_name(settings.outputs)
        self.ready = False

    async def load(self) -> bool:
        """Load what the model needs; what is returned says whether it is ready."""
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request."""
        raise NotImplementedError("predict() method not implemented")

    async def predict_stream(self, payloads: AsyncIterator[InferenceRequest]) -> AsyncIterator[InferenceResponse]:
        """Answer a request in pieces; one, of `predict`, unless an author writes another."""
        yield await self.predict(await anext(payloads))

    async def unload(self) -> bool:
        """Give back what the model holds."""
        return True

    # Read for every request: no function of Python's.
    name = property(attrgetter("_settings.name"), doc="The name that it is served as.")

    @property
    def version(self) -> str | None:
        """Its version, if it has one."""
        return self._settings.version

    @property
    def settings(self) -> ModelSettings:
        """Its settings."""
        return self._settings

    @property
    def inputs(self) -> list[MetadataTensor] | None:
        """The inputs that it declares; `load` may set them."""
        return self._settings.inputs

    @inputs.setter
    def inputs(self, value: list[MetadataTensor]) -> None:
        self._settings.inputs = value
        self._inputs_index = _by_name(value)

    @property
    def outputs(self) -> list[MetadataTensor] | None:
        """The outputs that it declares; `load` may set them."""
        return self._settings.outputs

    @outputs.setter
    def outputs(self, value: list[MetadataTensor]) -> None:
        self._settings.outputs = value
        self._outputs_index = _by_name(value)

    def decode(self, request_input: RequestInput, default_codec: Foreign = None) -> Foreign:
        """Return an input by its content type, else by `default_codec`, else its data as it is."""
        decode_request_input(request_input, self._inputs_index)
        if has_decoded(request_input):
            return get_decoded(request_input)
        return default_codec.decode_input(request_input) if default_codec else request_input.data

    def decode_request(self, inference_request: InferenceRequest, default_codec: Foreign = None) -> Foreign:
        """Return a request by its content type, else by `default_codec`, else as it is."""
        decode_inference_request(inference_request, self._settings, self._inputs_index)
        if has_decoded(inference_request):
            return get_decoded(inference_request)
        return default_codec.decode_request(inference_request) if default_codec else inference_request

    def encode_response(self, payload: Foreign, default_codec: Foreign = None) -> InferenceResponse:
        """Make a response by the payload's type, else by `default_codec`.

        Raises:
            CodecNotFound: there is none.

        """
        response = encode_inference_response(payload, self._settings)
        if response:
            return response
        if default_codec:
            made: InferenceResponse = default_codec.encode_response(self.name, payload, self.version)
            return made
        raise CodecNotFound(payload_type=str(type(payload)), is_input=False, is_request=True)

    def encode(self, payload: Foreign, request_output: RequestOutput, default_codec: Foreign = None) -> ResponseOutput:
        """Make an output by its content type or the payload's type, else by `default_codec`.

        Raises:
            CodecNotFound: there is none.

        """
        output = encode_response_output(payload, request_output, self._outputs_index)
        if output:
            return output
        if default_codec:
            made: ResponseOutput = default_codec.encode_output(request_output.name, payload)
            return made
        raise CodecNotFound(name=request_output.name, is_input=False, is_request=False)

    async def metadata(self) -> MetadataModelResponse:
        """Describe the model."""
        settings = self._settings
        made = MetadataModelResponse(
            name=self.name,
            platform=settings.platform,
            versions=settings.versions,
            inputs=settings.inputs,
            outputs=settings.outputs,
        )
        if settings.parameters:
            made.parameters = Parameters(content_type=settings.parameters.content_type)
        return made
