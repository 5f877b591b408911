"""Numpy arrays: of a request's own memory where that can be, with no list between."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import InputCodec, register_input_codec, register_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.utils import (
    InputOrOutput,
    SingleInputRequestCodec,
    inject_batch_dimension,
)
from modelwright.styles.mlserver.library.types import Datatype, Parameters, RequestInput, ResponseOutput, TensorData
from modelwright.tensors import NUMPY_TYPES, Array, datatype_of

_DATATYPES: Final = {dtype: name for name, dtype in NUMPY_TYPES.items() if name not in ("BF16", "BYTES")}


def to_dtype(input_or_output: InputOrOutput) -> np.dtype[Any]:
    """Return the numpy type of a tensor: str where its bytes are given as text, object where they are not."""
    if input_or_output.datatype != "BYTES":
        return NUMPY_TYPES[input_or_output.datatype]
    elements = input_or_output.data.root
    return np.dtype(str) if all(isinstance(each, str) for each in elements) else np.dtype(object)


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
        made = object.__new__(ResponseOutput)
        made.__dict__ = _fields(name, payload)
        return made

    @classmethod
    def decode_output(cls, response_output: ResponseOutput) -> Array:
        """Return an output as an array."""
        return _array(response_output)

    @classmethod
    def encode_input(cls, name: str, payload: Array, **_: Foreign) -> RequestInput:
        """Make an input of an array."""
        made = object.__new__(RequestInput)
        made.__dict__ = _fields(name, payload)
        return made

    @classmethod
    def decode_input(cls, request_input: RequestInput) -> Array:
        """Return an input as an array of its shape, which may be written into.

        Raises CodecError where the data does not fit the shape or the datatype.
        """
        return _array(request_input)


def _fields(name: str, payload: Array) -> dict[str, Foreign]:
    # A fixed few numpy types have one; those of text are as many as their lengths.
    datatype = _DATATYPES.get(payload.dtype)
    if datatype is None:
        try:
            datatype = datatype_of(payload)
        except TypeError as error:
            raise CodecError(f"{name!r}: {error}") from None
        if payload.dtype.kind in "SU":
            payload = _as_objects(payload)
    parameters = object.__new__(Parameters)
    parameters.__dict__ = {"content_type": "np"}
    return {
        "name": name,
        "shape": inject_batch_dimension(list(payload.shape)),
        "datatype": datatype,
        "data": TensorData.of(payload, nulls=True),
        "parameters": parameters,
    }


def _as_objects(array: Array) -> Array:
    made = np.empty(array.size, object)
    made[:] = [each.encode() if isinstance(each, str) else each for each in array.ravel().tolist()]
    return made.reshape(array.shape)


def _array(tensor: InputOrOutput) -> Array:
    data = tensor.data
    array = data.array if type(data) is TensorData else None
    try:
        if array is None or array.dtype.kind == "O":
            array = np.array(data.root, to_dtype(tensor))
        elif not array.flags.writeable:
            array = array.copy()
        return array if list(array.shape) == tensor.shape else array.reshape(tensor.shape)
    except (TypeError, ValueError) as error:
        raise CodecError(f"{tensor.name!r} is no {tensor.datatype} array of shape {tensor.shape}: {error}") from None


@register_request_codec
class NumpyRequestCodec(SingleInputRequestCodec):
    """A request whose one input is an array."""

    InputCodec = NumpyCodec
    ContentType = NumpyCodec.ContentType
