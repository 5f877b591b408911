"""What the author's `predict` returned becomes a response."""

from __future__ import annotations

from typing import Final

import numpy as np

from modelwright.errors import InferenceError
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library import types as ours
from modelwright.styles.mlserver.library.types.dataplane import of_arrays
from modelwright.styles.mlserver.library.types.fields import HeldOutput, HeldResponse
from modelwright.tensors import NUMPY_TYPES, Array, InferenceResponse, Tensor
from modelwright.tensors import Parameters as Given

# What the codec of arrays puts there.
_OF_ARRAYS: Final = {"content_type": "np"}
_of_arrays: Final = of_arrays
_Parameters: Final = ours.Parameters
_TensorData: Final = ours.TensorData
_Output: Final = ours.ResponseOutput
_Response: Final = ours.InferenceResponse
_OurTensor: Final = Tensor
_OurResponse: Final = InferenceResponse


def inference_response(
    answer: Foreign, name: str, identity: str | None, added: dict[str, str] | None = None
) -> InferenceResponse:
    """Convert an `InferenceResponse` of either library; its id becomes the request's, as with MLServer.

    The headers that are `added` stand before the author's of the same names.

    Raises:
        InferenceError: it is none, or an output is not what it says; a 500, which the caller cannot mend.

    """
    try:
        if type(answer) is _Response:
            # The compiler reads its fields without asking Python.
            made: HeldResponse = answer
            outputs, parameters, known_as, version = made.outputs, made.parameters, made.model_name, made.model_version
        else:
            outputs, parameters = answer.outputs, answer.parameters
            known_as, version = answer.model_name, answer.model_version
    except AttributeError:
        kind = type(answer).__name__
        raise InferenceError(f"predict() of model {name!r} must return an InferenceResponse, not {kind}") from None
    sent: dict[str, str] = {} if added is None else added
    given: Given = {}
    if parameters is not None:
        given = _parameters(parameters)
        if headers := parameters.headers:
            sent = {**{key: str(value) for key, value in headers.items()}, **sent}
    several: list[Foreign] = outputs if isinstance(outputs, list) else list(outputs)
    tensors = [_tensor(each) for each in several]
    return _OurResponse(known_as or name, tensors, identity, version, given, sent)


def _parameters(parameters: Foreign) -> Given:
    # pydantic keeps what it does not know of elsewhere.
    values: Foreign = vars(parameters)
    if type(parameters) is not _Parameters:
        values = {**values, **(parameters.model_extra or {})}
    return {
        name: value
        for name, value in values.items()
        if value is not None and name != "headers" and not name.startswith("_")
    }


def _tensor(output: Foreign) -> Tensor:
    if type(output) is _Output:
        found = _as_encoded(output)
        if found is not None:
            return found
    data, datatype, shape = output.data, output.datatype, tuple(output.shape)
    if not isinstance(datatype, str):
        datatype = str(getattr(datatype, "value", datatype))
    array = data.array if type(data) is _TensorData else None
    if array is None or array.dtype.kind == "O":
        array = _array(output.name, datatype, getattr(data, "root", data) if array is None else array)
    if array.shape != shape:
        array = _shaped(output.name, array, shape)
    parameters = output.parameters
    return Tensor(output.name, datatype, shape, array, {} if parameters is None else _parameters(parameters))


def _as_encoded(output: HeldOutput) -> Tensor | None:
    """Return the array of numbers that the codec made an output of, None where the author has done more to it."""
    array, datatype, shape = output._array, output.datatype, tuple(output.shape)
    if array is None or output._lengths != shape or output._later is not _of_arrays or not isinstance(datatype, str):
        return None
    return _OurTensor(output.name, datatype, shape, array, dict(_OF_ARRAYS))


def _shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    try:
        shaped: Array = array.reshape(shape)
        if shaped.shape == shape:
            return shaped
    except (ValueError, TypeError):
        pass
    raise InferenceError(
        f"output {name!r} of the model has {array.size} elements; its shape {list(shape)} says otherwise"
    )


def _array(name: str, datatype: str, elements: Foreign) -> Array:
    """Return the elements, flat or nested, as an array of the datatype; None in floats is NaN."""
    wanted = NUMPY_TYPES.get(datatype)
    if wanted is None:
        raise InferenceError(f"output {name!r} of the model has the unknown datatype {datatype!r}")
    if isinstance(elements, str | bytes):
        elements = [elements]
    try:
        if datatype == "BYTES":
            return _bytes(name, elements)
        if isinstance(elements, np.ndarray) and elements.dtype.kind != "O":
            # Held to the datatype by the codec.
            return elements
        if wanted.kind in "iu" and np.asarray(elements).dtype.kind not in "iub":
            raise TypeError(f"it holds {np.asarray(elements).dtype}")
        return np.array(elements, wanted)
    except (TypeError, ValueError, OverflowError) as error:
        raise InferenceError(f"output {name!r} of the model is no tensor of {datatype}: {error}") from None


def _bytes(name: str, elements: Foreign) -> Array:
    found = np.array(elements, dtype=object).ravel().tolist()
    made = np.empty(len(found), object)
    made[:] = [each.encode() if isinstance(each, str) else each for each in found]
    for each in made:
        if not isinstance(each, bytes):
            raise TypeError(f"its elements are {type(each).__name__}, not str or bytes")
    return made
