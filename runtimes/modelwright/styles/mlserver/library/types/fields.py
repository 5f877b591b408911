"""What requests, answers and their tensors hold: compiled classes under those that authors know.

Compiled, fields lie in the object itself (docs/adr/0034): the server makes and reads these objects for every request
without a dictionary. What authors subclass and inspect is over them, in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from modelwright.compiling import mypyc_attr
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.types.base import text
from modelwright.styles.mlserver.library.types.tensor_data import TensorData
from modelwright.tensors import Array


@mypyc_attr(allow_interpreted_subclasses=True)
class Parametrised:
    """What has parameters that are made only when somebody looks: most models never do."""

    __slots__ = ("_later", "_parameters")

    _parameters: Foreign
    # What makes them; None where they are made, or there are none.
    _later: Foreign

    def __new__(cls, *_: Foreign, **__: Foreign) -> Self:
        """Make one of any class over it, which holds nothing yet: without a call of Python's where it is compiled."""
        return object.__new__(cls)

    @property
    def parameters(self) -> Foreign:
        """The parameters, None where there are none."""
        if self._later is not None:
            make, self._later = self._later, None
            self._parameters = make()
        return self._parameters

    @parameters.setter
    def parameters(self, value: Foreign) -> None:
        self._parameters, self._later = value, None


@mypyc_attr(allow_interpreted_subclasses=True)
class HeldTensor(Parametrised):
    """What RequestInput and ResponseOutput hold."""

    __slots__ = ("_array", "_data", "_elements", "_lengths", "datatype", "name", "shape")

    name: Foreign
    shape: Foreign
    datatype: Foreign
    _data: Foreign
    # Numbers that nobody has looked at as a list yet, what makes it, and the array's shape; None for all else.
    _array: Foreign
    _elements: Foreign
    _lengths: Foreign

    @property
    def data(self) -> Foreign:
        """The elements, a TensorData unless the author has put something else in its place."""
        if self._array is not None:
            self._data = TensorData.of(self._array, self._elements)
            self._array = None
        return self._data

    @data.setter
    def data(self, value: Foreign) -> None:
        self._data, self._array = value, None

    @staticmethod
    def of(kind: Foreign, name: str, shape: list[int], datatype: str, later: Foreign) -> HeldTensor:
        """Make a tensor of a class of what is known to fit, without its constructor's doubts; its data is to come."""
        made: HeldTensor = Parametrised.__new__(kind)
        made.name, made.shape, made.datatype = name, shape, datatype
        made._parameters, made._later = None, later
        return made


@mypyc_attr(allow_interpreted_subclasses=True)
class HeldOutput(HeldTensor):
    """What ResponseOutput holds."""

    __slots__ = ()


def hold(
    tensor: HeldTensor, array: Array, lengths: tuple[int, ...], elements: Callable[[Array], list[Foreign]]
) -> None:
    """Give a tensor an array of numbers, which is of these lengths; its list is made by `elements`."""
    tensor._data, tensor._array, tensor._lengths, tensor._elements = None, array, lengths, elements


@mypyc_attr(allow_interpreted_subclasses=True)
class HeldRequest(Parametrised):
    """What InferenceRequest holds."""

    __slots__ = ("id", "inputs", "outputs")

    id: Foreign
    inputs: Foreign
    outputs: Foreign

    @staticmethod
    def of(kind: Foreign, identity: str, inputs: list[Foreign], later: Foreign) -> HeldRequest:
        """Make a request of a class of what is known to fit, without its constructor's doubts."""
        made: HeldRequest = Parametrised.__new__(kind)
        made.id, made.inputs, made.outputs = identity, inputs, None
        made._parameters, made._later = None, later
        return made


@mypyc_attr(allow_interpreted_subclasses=True)
class HeldResponse:
    """What InferenceResponse holds."""

    __slots__ = ("id", "model_name", "model_version", "outputs", "parameters")

    id: Foreign
    model_name: Foreign
    model_version: Foreign
    outputs: Foreign
    parameters: Foreign

    def _take(
        self,
        *,
        outputs: Foreign,
        model_name: Foreign = "",
        model_version: Foreign = None,
        id: Foreign = None,  # noqa: A002 - the document's own name
        parameters: Foreign = None,
        **_: Foreign,
    ) -> None:
        # For every request: what fits calls nothing.
        self.model_name = model_name if isinstance(model_name, str) else text("model_name", model_name)
        self.model_version = model_version if model_version is None else text("model_version", model_version)
        self.id = id if id is None else text("id", id)
        self.parameters = parameters if parameters is None else self._parameters_of(parameters)
        if isinstance(outputs, list) and all(isinstance(each, HeldOutput) for each in outputs):
            self.outputs = outputs.copy()
        else:
            self.outputs = self._outputs_of(outputs)

    def _parameters_of(self, given: Foreign) -> Foreign:
        raise NotImplementedError

    def _outputs_of(self, given: Foreign) -> Foreign:
        raise NotImplementedError
