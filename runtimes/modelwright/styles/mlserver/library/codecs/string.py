"""Lists of strings."""

from __future__ import annotations

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec, register_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.lists import ListElement, as_list, is_list_of
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput, SingleInputRequestCodec
from modelwright.styles.mlserver.library.types import Parameters, RequestInput, ResponseOutput


def encode_str(elem: str) -> bytes:
    """Return text as UTF-8."""
    return elem.encode("utf-8")


def decode_str(encoded: ListElement | None, str_codec: str = "utf-8") -> str | None:
    """Return UTF-8 as text; None stays None, what is no text becomes empty, as MLServer has it."""
    if isinstance(encoded, bytes):
        return encoded.decode(str_codec)
    return encoded if encoded is None or isinstance(encoded, str) else ""


def decoded_strings(tensor: InputOrOutput) -> list[str | None]:
    """Return a tensor's elements as text. Raises CodecError for bytes that are none."""
    try:
        return [decode_str(each) for each in as_list(tensor.data.root)]
    except UnicodeDecodeError:
        raise CodecError(f"{tensor.name!r} holds bytes that are not UTF-8") from None


@register_input_codec
class StringCodec(InputCodec):
    """A list of strings as a BYTES tensor of shape [n, 1]."""

    ContentType = "str"
    TypeHint = list[str]

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Take lists of str."""
        return is_list_of(payload, str)

    @classmethod
    def encode_output(cls, name: str, payload: list[str], use_bytes: bool = True, **_: Foreign) -> ResponseOutput:
        """Make an output of strings, kept as UTF-8 unless `use_bytes` is false."""
        return ResponseOutput(
            name=name,
            datatype="BYTES",
            shape=[len(payload), 1],
            data=[encode_str(each) for each in payload] if use_bytes else list(payload),
            parameters=Parameters(content_type=cls.ContentType),
        )

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> list[str | None]:
        """Return the strings of an output."""
        return decoded_strings(response_output)

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> list[str | None]:
        """Return the strings of an input."""
        return decoded_strings(request_input)

    @classmethod
    def encode_input(cls, name: str, payload: list[str], use_bytes: bool = True, **_: Foreign) -> RequestInput:
        """Make an input of strings."""
        return RequestInput(**cls.encode_output(name, payload, use_bytes).__getstate__())


@register_request_codec
class StringRequestCodec(SingleInputRequestCodec):
    """A request whose one input is a list of strings."""

    InputCodec = StringCodec
    ContentType = StringCodec.ContentType
    TypeHint = list[str]
