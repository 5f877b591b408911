"""What the author's `predict` returned becomes a response."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from modelwright.errors import InferenceError
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library import types as ours
from modelwright.tensors import NUMPY_TYPES, Array, InferenceResponse, Tensor
from modelwright.tensors import Parameters as Given

_OF_ARRAYS: Final = {"content_type": "np"}


def inference_response(
    answer: Foreign, name: str, identity: str | None, added: Mapping[str, str] = MappingProxyType({})
) -> InferenceResponse:
    """Convert an `InferenceResponse` of either library; its id becomes the request's, as with MLServer.

    The headers that are `added` stand before the author's of the same names.

    Raises:
        InferenceError: it is none, or an output is not what it says; a 500, which the caller cannot mend.

    """
    try:
        outputs, parameters = answer.outputs, answer.parameters
    except AttributeError:
        kind = type(answer).__name__
        raise InferenceError(f"predict() of model {name!r} must return an InferenceResponse, not {kind}") from None
    headers = parameters.headers if parameters is not None else None
    return InferenceResponse(
        answer.model_name or name,
        [_tensor(each) for each in outputs],
        identity,
        answer.model_version,
        _parameters(parameters),
        {**{key: str(value) for key, value in headers.items()}, **added} if headers else dict(added),
    )


def _parameters(parameters: Foreign) -> Given:
    if parameters is None:
        return {}
    # pydantic keeps what it does not know of elsewhere.
    values: Foreign = vars(parameters)
    if values == _OF_ARRAYS:
        # What the codec of arrays puts there.
        return dict(_OF_ARRAYS)
    if type(parameters) is not ours.Parameters:
        values = {**values, **(parameters.model_extra or {})}
    return {
        name: value
        for name, value in values.items()
        if value is not None and name != "headers" and not name.startswith("_")
    }


def _tensor(output: Foreign) -> Tensor:
    data, datatype, shape = output.data, output.datatype, tuple(output.shape)
    if not isinstance(datatype, str):
        datatype = str(getattr(datatype, "value", datatype))
    array = data.array if type(data) is ours.TensorData else None
    if array is None or array.dtype.kind == "O":
        array = _array(output.name, datatype, getattr(data, "root", data) if array is None else array)
    if array.shape != shape:
        if math.prod(shape) != array.size:
            raise InferenceError(
                f"output {output.name!r} of the model has {array.size} elements; its shape {list(shape)} says otherwise"
            )
        array = array.reshape(shape)
    return Tensor(output.name, datatype, shape, array, _parameters(output.parameters))


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
