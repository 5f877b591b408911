"""What a tensor holds as an array, and an array as what a tensor holds: of one memory where that can be."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.types.dataplane import RequestInput, ResponseOutput, of_arrays
from modelwright.styles.mlserver.library.types.fields import HeldTensor, hold
from modelwright.styles.mlserver.library.types.tensor_data import TensorData, with_nulls
from modelwright.tensors import NUMPY_TYPES, Array, datatype_of

_DATATYPES: Final[dict[Foreign, str]] = {
    dtype: name for name, dtype in NUMPY_TYPES.items() if name not in ("BF16", "BYTES")
}
# An index of what the codec adds to an array of one dimension.
_ONE_MORE: Final = (..., None)
_Input: Final = RequestInput
_Output: Final = ResponseOutput
_of_arrays: Final = of_arrays
_with_nulls: Final = with_nulls
_TensorData: Final = TensorData


def encode_output(name: str, payload: Array, **_: Foreign) -> Foreign:
    """Make an output of an array, which is not copied. Raises CodecError for one that no datatype is for."""
    return _tensor_of(_Output, name, payload)


def encode_input(name: str, payload: Array, **_: Foreign) -> Foreign:
    """Make an input of an array, which is not copied. Raises CodecError for one that no datatype is for."""
    return _tensor_of(_Input, name, payload)


def decode_output(response_output: Foreign) -> Array:
    """Return an output as an array of its shape, which may be written into.

    Raises CodecError where the data does not fit the shape or the datatype.
    """
    return _array_of(response_output)


def decode_input(request_input: Foreign) -> Array:
    """Return an input as an array of its shape, which may be written into.

    Raises CodecError where the data does not fit the shape or the datatype.
    """
    return _array_of(request_input)


def _tensor_of(kind: Foreign, name: str, payload: Array) -> HeldTensor:
    # A fixed few numpy types have one; those of text are as many as their lengths.
    datatype = _DATATYPES.get(payload.dtype)
    if datatype is None:
        try:
            datatype = datatype_of(payload)
        except TypeError as error:
            raise CodecError(f"{name!r}: {error}") from None
        if payload.dtype.kind in "SU":
            payload = _as_objects(payload)
    shape: list[int] = list(payload.shape)
    if len(shape) <= 1:
        payload = payload[_ONE_MORE]
        shape.append(1)
    made = HeldTensor.of(kind, name, shape, datatype, _of_arrays)
    if datatype == "BYTES":
        made.data = TensorData.of(payload, _with_nulls)
    else:
        hold(made, payload, tuple(shape), _with_nulls)
    return made


def _array_of(tensor: Foreign) -> Array:
    shape = tensor.shape
    try:
        # An author's tests may have an object of their own, which is only like a tensor.
        held = _held(tensor, shape) if isinstance(tensor, HeldTensor) else None
        if held is not None:
            return held if held.flags.writeable else held.copy()
        data = tensor.data
        array = data.array if type(data) is _TensorData else None
        if array is None or array.dtype.kind == "O":
            text = tensor.datatype == "BYTES"
            array = np.array(data.root, type_of_text(data.root) if text else NUMPY_TYPES[tensor.datatype])
        elif not array.flags.writeable:
            array = array.copy()
        found: Array = array if list(array.shape) == shape else array.reshape(shape)
    except (TypeError, ValueError) as error:
        raise CodecError(f"{tensor.name!r} is no {tensor.datatype} array of shape {shape}: {error}") from None
    return found


def _held(tensor: HeldTensor, shape: Foreign) -> Array | None:
    held: Array | None = tensor._array
    return held if held is not None and tuple(shape) == tensor._lengths else None


def type_of_text(elements: Foreign) -> np.dtype[Any]:
    """Return the numpy type of text: str where all of it is given as that, object where bytes are among it."""
    return np.dtype(str) if all(isinstance(each, str) for each in elements) else np.dtype(object)


def _as_objects(array: Array) -> Array:
    made = np.empty(array.size, object)
    made[:] = [each.encode() if isinstance(each, str) else each for each in array.ravel().tolist()]
    return made.reshape(array.shape)
