"""What InferInput and InferOutput have in common: a named tensor whose list of numbers is made only when read."""

from __future__ import annotations

import copyreg
from typing import Any, Final, SupportsIndex

import numpy as np

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.errors import InferenceError, InvalidInput
from modelwright.styles.kserve.twins.protocol import fields
from modelwright.styles.kserve.twins.protocol.bytes_tensor import serialize_byte_tensor
from modelwright.styles.kserve.twins.protocol.pickled import Pickled
from modelwright.styles.kserve.twins.utils.numpy_codec import from_np_dtype
from modelwright.tensors import Array

_WITH_BUFFERS: Final = 5


class InferTensor(Pickled, fields.TensorFields):
    """A tensor in one of three forms: the author's data, raw bytes, or an array that the server decoded."""

    FIELDS = ("_name", "_shape", "_datatype", "_parameters", "_data", "_raw_data")

    def __init__(
        self, name: str, shape: list[int], datatype: str, data: Foreign = None, parameters: Foreign = None
    ) -> None:
        self._name = name
        self._shape = shape
        self._datatype = datatype.upper()
        self._parameters = parameters
        self._data = data
        self._raw_data = None
        self._array = None
        self._nested = False

    @property
    def name(self) -> str:
        """The tensor's name."""
        name: str = self._name
        return name

    @property
    def datatype(self) -> str:
        """The V2 datatype."""
        datatype: str = self._datatype
        return datatype

    @property
    def data(self) -> Foreign:
        """The data as a list or as the author set it; None where it is in raw form only."""
        if self._data is None and self._array is not None:
            self._data = (self._array if self._nested else self._array.ravel()).tolist()
        return self._data

    @data.setter
    def data(self, data: Foreign) -> None:
        self._data = data
        self._array = None

    @property
    def shape(self) -> list[int]:
        """The lengths of the dimensions."""
        shape: list[int] = self._shape
        return shape

    @shape.setter
    def shape(self, shape: list[int]) -> None:
        self._shape = shape

    @property
    def parameters(self) -> Foreign:
        """Additional parameters, or None."""
        return self._parameters

    @parameters.setter
    def parameters(self, params: Foreign) -> None:
        self._parameters = params

    @property
    def is_empty(self) -> bool:
        """Whether there is no data in any form."""
        return self._data is None and self._raw_data is None and self._array is None

    @property
    def in_array(self) -> bool:
        """Whether the data is an array, the server's or the author's, and so travels best in raw form."""
        return self._raw_data is None and (self._array is not None or isinstance(self._data, np.ndarray))

    def hold(self, array: Array, *, nested: bool = False) -> None:
        """Take an array that fits datatype and shape; its list, nested or flat, is made when `data` is read."""
        self._data = None
        self._raw_data = None
        self._array = array
        self._nested = nested

    def take(self, tensor: Array, binary_data: bool) -> None:
        """Take the data of an array; raises InferenceError where it does not fit the datatype or the shape."""
        if not isinstance(tensor, np.ndarray):
            raise InferenceError("input_tensor must be a numpy array")
        datatype = from_np_dtype(tensor.dtype)
        if datatype != self._datatype:
            raise InferenceError(f"got unexpected datatype {datatype} from numpy array, expected {self._datatype}")
        if tuple(self._shape) != tensor.shape:
            raise InferenceError(
                f"got unexpected numpy array shape [{str(tensor.shape)[1:-1]}], expected [{str(self._shape)[1:-1]}]"
            )
        if tensor.dtype.kind == "M":
            tensor = tensor.astype(np.object_)
        if not binary_data:
            self._set_plain(tensor)
            return
        self.data = None
        if datatype == "BYTES":
            serialized = serialize_byte_tensor(tensor)
            self._raw_data = serialized.item() if serialized.size else b""
        else:
            self._raw_data = tensor.tobytes()
        self._parameters = {} if self._parameters is None else self._parameters
        self._parameters["binary_data_size"] = len(self._raw_data or b"")

    def _set_plain(self, tensor: Array) -> None:
        if self._parameters:
            self._parameters.pop("binary_data_size", None)
        if self._datatype == "BYTES":
            self._raw_data = None
            self.data = [_text(item) for item in tensor.ravel().tolist()]
        else:
            # A copy: the author may go on to use the buffer for the next request.
            self.hold(np.array(tensor, order="C"))

    def to_dict(self) -> dict[str, Any]:
        """Return the tensor as V2 JSON has it."""
        return {
            "name": self.name,
            "shape": self.shape,
            "datatype": self.datatype,
            "data": self.data,
            "parameters": self.parameters,
        }

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, InferTensor):
            return False
        mine, theirs = self.to_dict(), other.to_dict()
        same_data = _same(mine.pop("data"), theirs.pop("data"))
        return same_data and mine == theirs and self._raw_data == other._raw_data

    __hash__ = None  # type: ignore[assignment]  # as the genuine ones: equal by value, so not hashable

    def __repr__(self) -> str:
        return (
            f'"name": "{self.name}","shape": {self.shape},"datatype": "{self.datatype}",'
            f'"data": {self.data},"parameters": {self.parameters}'
        )

    __str__ = __repr__

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_data": self.data}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"_array": None, "_nested": False} | state)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        if int(protocol) < _WITH_BUFFERS or self._array is None:
            return super().__reduce_ex__(protocol)
        # Ray's protocol, whose large buffers travel beside the pickle: an array as it is, not as a list.
        held = {name: getattr(self, name) for name in (*self.FIELDS, "_array", "_nested")}
        return copyreg.__newobj__, (type(self),), held | vars(self)  # type: ignore[attr-defined]


def _text(item: Foreign) -> str:
    if not isinstance(item, bytes):
        return str(item)
    try:
        return item.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InferenceError(
            f'Failed to encode "{item!r}" using UTF-8. Please use binary_data=True, if you want to pass a byte array.'
        ) from error


def _same(mine: Foreign, theirs: Foreign) -> bool:
    if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
        return np.array_equal(mine, theirs)
    return bool(mine == theirs)


class InferInput(InferTensor):
    """One input of a request."""

    __module__ = "kserve.protocol.infer_type"

    def set_data_from_numpy(self, input_tensor: Array, binary_data: bool = True) -> None:
        """Take the data of an array; raises InferenceError where it does not fit the datatype or the shape."""
        self.take(input_tensor, binary_data)

    def as_string(self) -> list[str]:
        """Return a BYTES tensor's elements as text, flat; raises InvalidInput for another datatype."""
        if self.datatype != "BYTES":
            raise InvalidInput(f"invalid datatype {self.datatype} in the input")
        elements = np.array(self.data, dtype=np.object_).ravel() if self._raw_data is None else self.as_numpy().ravel()
        return [_text(item) for item in elements.tolist()]


class InferOutput(InferTensor):
    """One output of a response."""

    __module__ = "kserve.protocol.infer_type"

    def set_data_from_numpy(self, output_tensor: Array, binary_data: bool = True) -> None:
        """Take the data of an array; raises InferenceError where it does not fit the datatype or the shape."""
        self.take(output_tensor, binary_data)
