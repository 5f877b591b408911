"""V1 bodies, which MLServer has not: instances become inputs, the first dimension of each output predictions."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from modelwright.errors import InferenceError, InvalidInput
from modelwright.model import Payload
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.tensors import Array, InferenceRequest, InferenceResponse, Tensor, datatype_of

_DEFAULT = "input-0"


def input_name(declared: Foreign, predict: Foreign) -> str:
    """Return the name of a model's one input: declared, else the one argument under `decode_args`."""
    if declared and len(declared) == 1:
        return str(declared[0].name)
    wrapped = getattr(predict, "__wrapped__", None)
    names = list(inspect.signature(wrapped).parameters)[1:] if wrapped is not None else []
    return names[0] if len(names) == 1 else _DEFAULT


def request(payload: Payload, headers: Mapping[str, str], model: str, name: str) -> InferenceRequest:
    """Return V1 instances as a V2 request: objects give an input for each key, all else the one input `name`.

    Raises:
        InvalidInput: there are no instances, or they do not fit together.

    """
    instances = payload.get("instances") if isinstance(payload, dict) else None
    if not isinstance(instances, list) or not instances:
        raise InvalidInput("'instances' must be a list of at least one instance")
    if all(isinstance(each, dict) for each in instances):
        keys = instances[0].keys()
        if any(each.keys() != keys for each in instances):
            raise InvalidInput("'instances' must have the same keys each: the model's inputs")
        columns = {key: [each[key] for each in instances] for key in keys}
    else:
        columns = {name: instances}
    return InferenceRequest(model, [_tensor(key, values) for key, values in columns.items()], headers=headers)


def _tensor(name: str, values: list[Any]) -> Tensor:
    try:
        array: Array = np.array(values)
    except ValueError:
        raise InvalidInput(f"the values of input {name!r} in 'instances' differ in shape") from None
    if array.dtype.kind == "U":
        flat = np.empty(array.size, object)
        flat[:] = [each.encode() for each in array.ravel().tolist()]
        array = flat.reshape(array.shape)
    elif array.dtype.kind not in "biuf":
        raise InvalidInput(f"the values of input {name!r} in 'instances' must be all numbers, all booleans or all text")
    return Tensor(name, datatype_of(array), array.shape, array)


def predictions(response: InferenceResponse) -> list[Any]:
    """Return a row for each instance; an object of the outputs by name where there are several.

    Raises:
        InferenceError: outputs differ in their rows.

    """
    rows = {each.name: _rows(each) for each in response.outputs}
    if len(rows) == 1:
        return next(iter(rows.values()))
    if len({len(each) for each in rows.values()}) > 1:
        raise InferenceError(
            "the model's outputs differ in their first dimension, so V1 cannot tell their rows; use V2"
        )
    return [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]


def _rows(tensor: Tensor) -> list[Any]:
    array = np.asarray(tensor.data).reshape(tensor.shape)
    # MLServer gives an output of one dimension a second one, of 1.
    if len(tensor.shape) == 2 and tensor.shape[1] == 1:
        array = array[:, 0]
    if tensor.datatype != "BYTES":
        return list(array.tolist())
    flat = np.empty(array.size, object)
    flat[:] = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in array.ravel().tolist()]
    return list(flat.reshape(array.shape).tolist())
