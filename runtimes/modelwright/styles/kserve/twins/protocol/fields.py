"""What requests, answers and tensors hold: compiled classes under those that authors know.

Compiled, fields lie in the object itself: the server makes four such objects for the smallest request, and reads them
without asking Python. What authors subclass and inspect is over them, in Python.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modelwright.compiling import mypyc_attr
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.protocol.bytes_tensor import deserialize_bytes_tensor
from modelwright.styles.kserve.twins.utils.numpy_codec import to_np_dtype
from modelwright.tensors import Array


@mypyc_attr(allow_interpreted_subclasses=True)
class TensorFields:
    """What InferInput and InferOutput hold."""

    __slots__ = ("_array", "_data", "_datatype", "_name", "_nested", "_parameters", "_raw_data", "_shape")

    _name: Foreign
    _shape: Foreign
    _datatype: Foreign
    _parameters: Foreign
    _data: Foreign
    _raw_data: Foreign
    # What the server decoded or the author's array, and whether its list is nested as the shape says.
    _array: Foreign
    _nested: Foreign

    def as_numpy(self) -> Array:
        """Return the data as an array of the tensor's shape that may be written into.

        Raises InvalidInput for an unknown datatype, ValueError for data that does not fit the shape.
        """
        dtype = to_np_dtype(self._datatype)
        if dtype is None:
            raise InvalidInput(f"invalid datatype {self._datatype} in the input")
        raw, array = self._raw_data, self._array
        if raw is not None:
            array = deserialize_bytes_tensor(raw) if dtype is np.object_ else np.frombuffer(raw, dtype=dtype)
        elif array is None:
            array = np.array(self._data, dtype=dtype)
        elif not array.flags.writeable:
            # What arrived in binary form is a read-only view of the request; authors scale their inputs in place.
            array = array.copy()
        shape = self._shape
        fitting: Array = array if array.shape == tuple(shape) else array.reshape(shape)
        return fitting


@mypyc_attr(allow_interpreted_subclasses=True)
class RequestFields:
    """What InferRequest holds."""

    __slots__ = (
        "_from_grpc",
        "_use_raw_outputs",
        "id",
        "inputs",
        "model_name",
        "model_version",
        "parameters",
        "request_outputs",
    )

    id: Foreign
    model_name: Foreign
    inputs: Foreign
    parameters: Foreign
    _from_grpc: Foreign
    _use_raw_outputs: Foreign
    request_outputs: Foreign
    model_version: Foreign


@mypyc_attr(allow_interpreted_subclasses=True)
class ResponseFields:
    """What InferResponse holds."""

    __slots__ = (
        "_from_grpc",
        "_requested_outputs",
        "_use_binary_outputs",
        "id",
        "model_name",
        "model_version",
        "outputs",
        "parameters",
    )

    id: Foreign
    model_name: Foreign
    model_version: Foreign
    outputs: Foreign
    parameters: Foreign
    _from_grpc: Foreign
    _requested_outputs: Foreign
    _use_binary_outputs: Foreign


# Looked up once: each look at a class's own `__new__` costs as much as the object does.
new_tensor: Final[Foreign] = TensorFields.__new__
new_request: Final[Foreign] = RequestFields.__new__
new_response: Final[Foreign] = ResponseFields.__new__


def holding(kind: Foreign, name: str, shape: list[int], datatype: str, array: Array, *, nested: bool) -> TensorFields:
    """Make a tensor of a class around an array that fits datatype and shape, without its constructor's doubts."""
    made: TensorFields = new_tensor(kind)
    made._name, made._shape, made._datatype, made._parameters = name, shape, datatype, None
    made._data = made._raw_data = None
    made._array, made._nested = array, nested
    return made
