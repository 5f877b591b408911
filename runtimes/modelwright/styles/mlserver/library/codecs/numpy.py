"""Numpy arrays: of a request's own memory where that can be, with no list between."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.arrays import (
    decode_input,
    decode_output,
    encode_input,
    encode_output,
    type_of_text,
)
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec, register_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput, SingleInputRequestCodec
from modelwright.styles.mlserver.library.types import Datatype
from modelwright.tensors import NUMPY_TYPES, datatype_of


def to_dtype(input_or_output: InputOrOutput) -> np.dtype[Any]:
    """Return the numpy type of a tensor: str where its bytes are given as text, object where they are not."""
    if input_or_output.datatype != "BYTES":
        return NUMPY_TYPES[input_or_output.datatype]
    return type_of_text(input_or_output.data.root)


def to_datatype(dtype: np.dtype[Any]) -> Datatype:
    """Return the datatype of a numpy type. Raises CodecError where there is none."""
    try:
        return Datatype(datatype_of(np.empty(0, dtype)))
    except TypeError as error:
        raise CodecError(str(error)) from None


def convert_nan(val: Foreign) -> Foreign:
    """Return None for NaN."""
    return None if isinstance(val, float) and np.isnan(val) else val


@register_input_codec
class NumpyCodec(InputCodec):
    """An array as a tensor; one of a single dimension gets a second one, of 1."""

    ContentType = "np"
    TypeHint = np.ndarray

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Take arrays."""
        return isinstance(payload, np.ndarray)

    # Compiled, and called for every request: a class method of Python's would cost more than what they do.
    encode_output = staticmethod(encode_output)
    decode_output = staticmethod(decode_output)
    encode_input = staticmethod(encode_input)
    decode_input = staticmethod(decode_input)


@register_request_codec
class NumpyRequestCodec(SingleInputRequestCodec):
    """A request whose one input is an array."""

    InputCodec = NumpyCodec
    ContentType = NumpyCodec.ContentType
