"""Numpy arrays: of a request's own memory where that can be, with no list between."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.arrays import array_of, tensor_of, type_of_text
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec, register_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput, SingleInputRequestCodec
from modelwright.styles.mlserver.library.types import Datatype, RequestInput, ResponseOutput
from modelwright.tensors import NUMPY_TYPES, Array, datatype_of


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

    @classmethod
    def encode_output(cls, name: str, payload: Array, **_: Foreign) -> ResponseOutput:
        """Make an output of an array, which is not copied."""
        made: ResponseOutput = tensor_of(ResponseOutput, name, payload)
        return made

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> Array:
        """Return an output as an array."""
        return array_of(response_output)

    @classmethod
    def encode_input(cls, name: str, payload: Array, **_: Foreign) -> RequestInput:
        """Make an input of an array."""
        made: RequestInput = tensor_of(RequestInput, name, payload)
        return made

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> Array:
        """Return an input as an array of its shape, which may be written into.

        Raises CodecError where the data does not fit the shape or the datatype.
        """
        return array_of(request_input)


@register_request_codec
class NumpyRequestCodec(SingleInputRequestCodec):
    """A request whose one input is an array."""

    InputCodec = NumpyCodec
    ContentType = NumpyCodec.ContentType
