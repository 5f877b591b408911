"""Lists of bytes, base64 on the wire."""

from __future__ import annotations

import base64
import binascii

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.lists import ListElement, as_list, is_list_of
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput
from modelwright.styles.mlserver.library.types import Parameters, RequestInput, ResponseOutput


def _as_bytes(element: ListElement) -> bytes:
    return element.encode("ascii") if isinstance(element, str) else element


def _encoded(element: ListElement, use_bytes: bool) -> ListElement:
    encoded = base64.b64encode(_as_bytes(element))
    return encoded if use_bytes else encoded.decode("ascii")


def _decoded(tensor: InputOrOutput) -> list[bytes]:
    try:
        return [_element(_as_bytes(each)) for each in as_list(tensor.data.root)]
    except UnicodeEncodeError:
        raise CodecError(f"{tensor.name!r} holds text that is neither base64 nor ASCII") from None


def _element(given: bytes) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except binascii.Error:
        # Bytes that are no base64 are the payload itself, as MLServer has it.
        return given


@register_input_codec
class Base64Codec(InputCodec):
    """A list of bytes as a BYTES tensor of shape [n, 1], each element in base64."""

    ContentType = "base64"
    TypeHint = list[bytes]

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Take lists of bytes."""
        return is_list_of(payload, bytes)

    @classmethod
    def encode_output(cls, name: str, payload: list[bytes], use_bytes: bool = True, **_: Foreign) -> ResponseOutput:
        """Make an output of bytes."""
        return ResponseOutput(
            name=name,
            datatype="BYTES",
            shape=[len(payload), 1],
            data=[_encoded(each, use_bytes) for each in payload],
            parameters=Parameters(content_type=cls.ContentType),
        )

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> list[bytes]:
        """Return the bytes of an output."""
        return _decoded(response_output)

    @classmethod
    def encode_input(cls, name: str, payload: list[bytes], use_bytes: bool = True, **_: Foreign) -> RequestInput:
        """Make an input of bytes."""
        return RequestInput(**cls.encode_output(name, payload, use_bytes).__getstate__())

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> list[bytes]:
        """Return the bytes of an input; an element that is no base64 as it is."""
        return _decoded(request_input)
