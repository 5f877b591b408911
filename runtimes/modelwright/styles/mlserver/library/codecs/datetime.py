"""Lists of dates, ISO 8601 on the wire."""

from __future__ import annotations

from datetime import datetime

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.lists import ListElement, as_list, is_list_of
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput
from modelwright.styles.mlserver.library.types import Parameters, RequestInput, ResponseOutput


def _encoded(element: str | datetime, use_bytes: bool) -> ListElement:
    iso = element if isinstance(element, str) else element.isoformat()
    return iso.encode("ascii") if use_bytes else iso


def _decoded(tensor: InputOrOutput) -> list[datetime]:
    try:
        return [
            datetime.fromisoformat(each if isinstance(each, str) else each.decode("ascii"))
            for each in as_list(tensor.data.root)
        ]
    except ValueError as error:
        raise CodecError(f"{tensor.name!r} must hold dates in ISO 8601: {error}") from None


@register_input_codec
class DatetimeCodec(InputCodec):
    """A list of dates as a BYTES tensor of shape [n, 1]."""

    ContentType = "datetime"
    TypeHint = list[str | datetime]

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Take lists of datetime."""
        return is_list_of(payload, datetime)

    @classmethod
    def encode_output(
        cls, name: str, payload: list[str | datetime], use_bytes: bool = True, **_: Foreign
    ) -> ResponseOutput:
        """Make an output of dates; text is taken as a date that is encoded already."""
        return ResponseOutput(
            name=name,
            datatype="BYTES",
            shape=[len(payload), 1],
            data=[_encoded(each, use_bytes) for each in payload],
            parameters=Parameters(content_type=cls.ContentType),
        )

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> list[datetime]:
        """Return the dates of an output."""
        return _decoded(response_output)

    @classmethod
    def encode_input(
        cls, name: str, payload: list[str | datetime], use_bytes: bool = True, **_: Foreign
    ) -> RequestInput:
        """Make an input of dates."""
        return RequestInput(**cls.encode_output(name, payload, use_bytes).__getstate__())

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> list[datetime]:
        """Return the dates of an input. Raises CodecError for what is no date."""
        return _decoded(request_input)
