"""Codecs between tensors and Python objects, and `decode_args`."""

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import (
    InputCodec,
    InputCodecLike,
    RequestCodec,
    RequestCodecLike,
    register_input_codec,
    register_request_codec,
)

# Numpy's first: a payload's codec is the first one registered that fits.
from modelwright.styles.mlserver.library.codecs.numpy import NumpyCodec, NumpyRequestCodec  # isort: split

from modelwright.styles.mlserver.library.codecs.base64 import Base64Codec
from modelwright.styles.mlserver.library.codecs.datetime import DatetimeCodec
from modelwright.styles.mlserver.library.codecs.decorator import decode_args
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.string import StringCodec, StringRequestCodec
from modelwright.styles.mlserver.library.codecs.utils import (
    DecodedParameterName,
    decode_inference_request,
    decode_request_input,
    encode_inference_response,
    encode_response_output,
    get_decoded,
    get_decoded_or_raw,
    has_decoded,
)

__all__ = [
    "Base64Codec",
    "CodecError",
    "DatetimeCodec",
    "DecodedParameterName",
    "InputCodec",
    "InputCodecLike",
    "NumpyCodec",
    "NumpyRequestCodec",
    "PandasCodec",
    "RequestCodec",
    "RequestCodecLike",
    "StringCodec",
    "StringRequestCodec",
    "decode_args",
    "decode_inference_request",
    "decode_request_input",
    "encode_inference_response",
    "encode_response_output",
    "get_decoded",
    "get_decoded_or_raw",
    "has_decoded",
    "register_input_codec",
    "register_request_codec",
]


def __getattr__(name: str) -> Foreign:
    """Import pandas for whoever wants its codec."""
    if name == "PandasCodec":
        from modelwright.styles.mlserver.library.codecs.pandas import PandasCodec  # noqa: PLC0415

        return PandasCodec
    raise AttributeError(f"module 'mlserver.codecs' has no attribute {name!r}")
