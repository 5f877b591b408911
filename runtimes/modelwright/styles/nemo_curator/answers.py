"""What an entry point returned, as named arrays: of arrays, torch tensors or text, or tuples and records of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from modelwright.codecs.json_text import write_json
from modelwright.errors import InferenceError
from modelwright.model import TensorMetadata
from modelwright.tensors import NUMPY_TYPES, Array, Tensor, datatype_of

_FORMS: Final = "an array, a tensor, text, numbers, or a tuple or a dictionary of them"


class Json(bytes):
    """The text of a dictionary that a model returned, which V1 shows as an object and V2 as text."""


def arrays(result: object, declared: Sequence[TensorMetadata]) -> dict[str, Array]:
    """Take a result apart, in the model's thread: a torch tensor's values may still be on their way from a GPU.

    Raises:
        InferenceError: naming the output that has no V2 form, or is not as declared.

    """
    if result is None:
        raise InferenceError(f"the model returned None; it must return {_FORMS}")
    parts = _parts(result)
    if parts is None:
        values = result if type(result) is tuple else (result,)
        parts = _positional(values, declared)
    elif declared:
        missing = [each.name for each in declared if each.name not in parts]
        if missing:
            raise InferenceError(f"the model returned {', '.join(parts)}; declared is also {', '.join(missing)}")
        parts = {each.name: parts[each.name] for each in declared}
    wanted = {each.name: each.datatype for each in declared}
    return {name: _as_declared(name, _array(name, value), wanted.get(name)) for name, value in parts.items()}


def lone(result: object, declared: Sequence[TensorMetadata]) -> Tensor | None:
    """Give the one output of a model that returned an array of numbers as declared; None for whatever is more work."""
    if type(result) is not np.ndarray or len(declared) > 1 or not result.shape or result.dtype.kind not in "fiub":
        return None
    datatype = datatype_of(result)
    if not declared:
        return Tensor("output-0", datatype, result.shape, result)
    return Tensor(declared[0].name, datatype, result.shape, result) if datatype == declared[0].datatype else None


def tensors(named: Mapping[str, Array]) -> list[Tensor]:
    """Give V2's outputs."""
    return [Tensor(name, datatype_of(array), array.shape, array) for name, array in named.items()]


def predictions(named: Mapping[str, Array]) -> Any:  # noqa: ANN401 - a JSON value with arrays in it
    """Give V1's predictions: the only output itself; several as a row each, or by name where they have no rows."""
    plain = {name: _plain(array) for name, array in named.items()}
    if len(plain) == 1:
        return next(iter(plain.values()))
    if len({len(values) for values in plain.values()}) != 1:
        return plain
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _parts(result: object) -> Mapping[str, Any] | None:
    if isinstance(result, Mapping):
        return {str(name): value for name, value in result.items()}
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    fields: Iterable[Any] = getattr(type(result), "__attrs_attrs__", ())
    names = [field.name for field in fields] or list(getattr(result, "_fields", ()))
    return {name: getattr(result, name) for name in names} if names else None


def _positional(values: Sequence[Any], declared: Sequence[TensorMetadata]) -> dict[str, Any]:
    if declared and len(values) != len(declared):
        raise InferenceError(f"the model returned {len(values)} outputs; declared are {len(declared)}")
    if declared:
        return {each.name: value for each, value in zip(declared, values, strict=True)}
    return {f"output-{index}": value for index, value in enumerate(values) if value is not None}


def _array(name: str, value: object) -> Array:
    value = _numpy(value)
    if isinstance(value, str | bytes | bool | int | float | np.generic | Mapping):
        value = [value]
    if isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) for each in value):
        return _objects(Json(write_json(each)) for each in value)
    try:
        array = value if isinstance(value, np.ndarray) else np.asarray([_numpy(each) for each in _items(name, value)])
    except ValueError as error:
        raise InferenceError(f"output {name!r} of the model is ragged; return arrays of one shape") from error
    if array.dtype.kind in "OSU":
        return _texts(name, array)
    return array if array.shape else array.reshape(1)


def _items(name: str, value: object) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    raise InferenceError(f"output {name!r} of the model is {type(value).__name__}; it must return {_FORMS}")


def _numpy(value: Any) -> Any:  # noqa: ANN401 - a tensor of a library that is not imported here
    if not (hasattr(value, "detach") and hasattr(value, "cpu")):
        return value
    value = value.detach().cpu()
    # numpy has no bfloat16.
    return (value.float() if str(value.dtype).endswith("bfloat16") else value).numpy()


def _texts(name: str, array: Array) -> Array:
    values = array.ravel().tolist()
    if not all(isinstance(each, str | bytes) for each in values):
        raise InferenceError(f"output {name!r} of the model holds what no V2 datatype can; return {_FORMS}")
    return _objects(each if isinstance(each, bytes) else each.encode() for each in values).reshape(array.shape or (1,))


def _objects(values: Iterable[bytes]) -> Array:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def _as_declared(name: str, array: Array, datatype: str | None) -> Array:
    """Bring an array to the datatype that callers were told, where no other kind of number is meant by it."""
    try:
        found = datatype_of(array)
    except TypeError as error:
        raise InferenceError(f"output {name!r} of the model: {error}") from error
    if datatype is None or found == datatype:
        return array
    if "BYTES" in (found, datatype) or not np.can_cast(array.dtype, NUMPY_TYPES[datatype], casting="same_kind"):
        raise InferenceError(f"output {name!r} of the model is {found}; declared is {datatype}")
    return array.astype(NUMPY_TYPES[datatype])


def _plain(array: Array) -> Any:  # noqa: ANN401 - a JSON value
    if array.dtype.kind != "O":
        return array
    return [_json(each) for each in array.ravel().tolist()] if array.ndim == 1 else array


def _json(value: bytes) -> object:
    return json.loads(value) if isinstance(value, Json) else value.decode("utf-8", "replace")
