"""The interface of codecs, and the registry that finds one by content type, payload or type hint."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, Union

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.hints import plain
from modelwright.styles.mlserver.library.logging import logger
from modelwright.styles.mlserver.library.types import (
    InferenceRequest,
    InferenceResponse,
    RequestInput,
    ResponseOutput,
)

InputCodecLike: TypeAlias = Union[type["InputCodec"], "InputCodec"]
RequestCodecLike: TypeAlias = Union[type["RequestCodec"], "RequestCodec"]
Codec = TypeVar("Codec")


class InputCodec:
    """Converts one input or output to and from a Python type."""

    ContentType: ClassVar[str] = ""
    TypeHint: ClassVar[Any] = type(None)

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Say whether the codec is for such a payload."""
        return False

    @classmethod
    def encode_output(cls, name: str, payload: Foreign, **kwargs: Foreign) -> ResponseOutput:
        """Make an output of a payload."""
        raise NotImplementedError

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> Foreign:
        """Make a payload of an output."""
        raise NotImplementedError

    @classmethod
    def encode_input(cls, name: str, payload: Foreign, **kwargs: Foreign) -> RequestInput:
        """Make an input of a payload."""
        raise NotImplementedError

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> Foreign:
        """Make a payload of an input."""
        raise NotImplementedError

    @classmethod
    def encode(cls, name: str, payload: Foreign) -> ResponseOutput:
        """Do as `encode_output` does, which took its place."""
        return cls.encode_output(name, payload)

    @classmethod
    def decode(cls, request_input: RequestInput) -> Foreign:
        """Do as `decode_input` does, which took its place."""
        return cls.decode_input(request_input)


class RequestCodec:
    """Converts a whole request or response to and from a Python type."""

    ContentType: ClassVar[str] = ""
    TypeHint: ClassVar[Any] = type(None)

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Say whether the codec is for such a payload."""
        return False

    @classmethod
    def encode_response(
        cls, model_name: str, payload: Foreign, model_version: str | None = None, **kwargs: Foreign
    ) -> InferenceResponse:
        """Make a response of a payload."""
        raise NotImplementedError

    @classmethod
    def decode_response(cls, response: InferenceResponse) -> Foreign:
        """Make a payload of a response."""
        raise NotImplementedError

    @classmethod
    def encode_request(cls, payload: Foreign, **kwargs: Foreign) -> InferenceRequest:
        """Make a request of a payload."""
        raise NotImplementedError

    @classmethod
    def decode_request(cls, request: InferenceRequest) -> Foreign:
        """Make a payload of a request."""
        raise NotImplementedError

    @classmethod
    def encode(cls, model_name: str, payload: Foreign, model_version: str | None = None) -> InferenceResponse:
        """Do as `encode_response` does, which took its place."""
        return cls.encode_response(model_name, payload, model_version)

    @classmethod
    def decode(cls, request: InferenceRequest) -> Foreign:
        """Do as `decode_request` does, which took its place."""
        return cls.decode_request(request)


class Registry(Generic[Codec]):
    """The codecs of one kind, by content type; the first one registered that fits is taken.

    A codec for pandas comes with its module, which is imported when somebody has imported pandas, or asks for "pd".
    """

    def __init__(self, pandas: str | None = None) -> None:
        self._codecs: dict[str, Any] = {}
        self._pandas = pandas

    def register(self, codec: Codec) -> Codec:
        """Add a codec under its content type; a class decorator."""
        known: Any = codec
        if known.ContentType is not None:
            self._codecs[known.ContentType] = codec
        return codec

    def find(self, content_type: str | None = None, payload: Foreign = None, type_hint: Foreign = None) -> Codec | None:
        """Return a codec by the first of these that is given."""
        if content_type:
            if content_type == "pd" and self._pandas:
                importlib.import_module(self._pandas)
            return self._codecs.get(content_type)
        if payload is not None:
            return self.find_by_payload(payload)
        return self.find_by_type_hint(type_hint) if type_hint is not None else None

    def find_by_payload(self, payload: Foreign) -> Codec | None:
        """Return the codec that can encode a payload."""
        for codec in self._all():
            if codec.can_encode(payload):
                found: Codec = codec
                return found
        logger.warning("No codec was found for payload with type %s.", type(payload))
        return None

    def find_by_type_hint(self, type_hint: Foreign) -> Codec | None:
        """Return the codec for a type, however its hint is spelled."""
        wanted = plain(type_hint)
        for codec in self._all() if wanted is not None else ():
            if plain(codec.TypeHint) == wanted:
                found: Codec = codec
                return found
        return None

    def _all(self) -> Iterable[Any]:
        if self._pandas and "pandas" in sys.modules:
            importlib.import_module(self._pandas)
        return list(self._codecs.values())


_INPUTS: Registry[InputCodecLike] = Registry()
_REQUESTS: Registry[RequestCodecLike] = Registry("modelwright.styles.mlserver.library.codecs.pandas")

find_input_codec = _INPUTS.find
find_input_codec_by_payload = _INPUTS.find_by_payload
find_input_codec_by_type_hint = _INPUTS.find_by_type_hint
find_request_codec = _REQUESTS.find
find_request_codec_by_payload = _REQUESTS.find_by_payload
find_request_codec_by_type_hint = _REQUESTS.find_by_type_hint


def register_input_codec(codec: Foreign) -> Foreign:
    """Register an input codec; a class decorator."""
    return _INPUTS.register(codec)


def register_request_codec(codec: Foreign) -> Foreign:
    """Register a request codec; a class decorator."""
    return _REQUESTS.register(codec)
