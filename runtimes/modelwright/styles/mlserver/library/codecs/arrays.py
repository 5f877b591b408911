"""What a tensor holds as an array, and an array as what a tensor holds: of one memory where that can be."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.types.dataplane import of_arrays
from modelwright.styles.mlserver.library.types.tensor_data import TensorData, with_nulls
from modelwright.tensors import NUMPY_TYPES, Array, datatype_of

_DATATYPES: Final = {dtype: name for name, dtype in NUMPY_TYPES.items() if name not in ("BF16", "BYTES")}
_new: Final = object.__new__
_of_arrays: Final = of_arrays
_with_nulls: Final = with_nulls
_TensorData: Final = TensorData


def tensor_of(kind: Foreign, name: str, payload: Array) -> Foreign:
    """Return an input or output, which `kind` is, of an array, which is not copied; one dimension becomes two.

    Raises CodecError for an array that no datatype is for.
    """
    # A fixed few numpy types have one; those of text are as many as their lengths.
    datatype = _DATATYPES.get(payload.dtype)
    if datatype is None:
        try:
            datatype = datatype_of(payload)
        except TypeError as error:
            raise CodecError(f"{name!r}: {error}") from None
        if payload.dtype.kind in "SU":
            payload = _as_objects(payload)
    shape = list(payload.shape)
    if len(shape) <= 1:
        shape.append(1)
    # No constructor, which would check what is known to fit.
    made, data = _new(kind), _new(_TensorData)
    data.array = payload
    data.elements = _with_nulls
    made.name = name
    made.shape = shape
    made.datatype = datatype
    made.data = data
    made._parameters = _of_arrays
    return made


def array_of(tensor: Foreign) -> Array:
    """Return a tensor as an array of its shape, which may be written into.

    Raises CodecError where the data does not fit the shape or the datatype.
    """
    data = tensor.data
    array = data.array if type(data) is _TensorData else None
    try:
        if array is None or array.dtype.kind == "O":
            text = tensor.datatype == "BYTES"
            array = np.array(data.root, type_of_text(data.root) if text else NUMPY_TYPES[tensor.datatype])
        elif not array.flags.writeable:
            array = array.copy()
        shape = tensor.shape
        found: Array = array if list(array.shape) == shape else array.reshape(shape)
    except (TypeError, ValueError) as error:
        raise CodecError(f"{tensor.name!r} is no {tensor.datatype} array of shape {tensor.shape}: {error}") from None
    return found


def type_of_text(elements: Foreign) -> np.dtype[Any]:
    """Return the numpy type of text: str where all of it is given as that, object where bytes are among it."""
    return np.dtype(str) if all(isinstance(each, str) for each in elements) else np.dtype(object)


def _as_objects(array: Array) -> Array:
    made = np.empty(array.size, object)
    made[:] = [each.encode() if isinstance(each, str) else each for each in array.ravel().tolist()]
    return made.reshape(array.shape)
