"""From tensors, and from values of a JSON body, to what an author's parameter takes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from modelwright.errors import InvalidInput
from modelwright.styles.nos import images
from modelwright.styles.nos.hints import Hint, Kind
from modelwright.tensors import Tensor

_NUMBERS = (Kind.BOOL, Kind.INT, Kind.FLOAT)


def of_tensor(tensor: Tensor, hint: Hint) -> Any:  # noqa: ANN401 - what the hint says
    """Give a tensor's value; raises InvalidInput where the parameter takes nothing that it could be."""
    if tensor.datatype == "BYTES":
        return _several([_item(each, hint, tensor.name) for each in tensor.data.ravel()], tensor, hint)
    return _of_numbers(tensor, hint)


def of_json(value: Any, hint: Hint, name: str) -> Any:  # noqa: ANN401 - any JSON in, what the hint says out
    """Give a JSON value's value; data URLs of images become images wherever they are in it."""
    if isinstance(value, str):
        return _item(value, hint, name)
    if isinstance(value, list):
        if hint.has(Kind.ARRAY) and _is_numbers(value):
            try:
                return np.asarray(value)
            except ValueError:
                raise InvalidInput(f"input {name!r} is ragged: its lists differ in length") from None
        inner = Hint(hint.listed or hint.single, hint.listed or hint.single)
        return [of_json(each, inner, name) for each in value]
    if isinstance(value, dict):
        anything = Hint(frozenset({Kind.ANY}), frozenset({Kind.ANY}))
        return {key: of_json(each, anything, name) for key, each in value.items()}
    if hint.single == {Kind.FLOAT} and type(value) is int:
        return float(value)
    return value


def _of_numbers(tensor: Tensor, hint: Hint) -> Any:  # noqa: ANN401 - what the hint says
    data = tensor.data
    if hint.arrays:
        return data
    if Kind.ARRAY in hint.listed:
        if not data.ndim:
            raise InvalidInput(f"input {tensor.name!r} has shape []; expected a first dimension, of the list")
        return list(data)
    if hint.has(Kind.IMAGE):
        if Kind.IMAGE in hint.single and data.ndim < 4 and not (Kind.IMAGE in hint.listed and data.ndim == 4):
            return images.from_array(data, tensor.name)
        return [images.from_array(each, tensor.name) for each in data]
    if any(kind in hint.single for kind in _NUMBERS) and data.size == 1:
        return data.item()
    if any(hint.has(kind) for kind in (*_NUMBERS, Kind.ANY)) and hint.listed:
        return data.tolist()
    raise InvalidInput(
        f"input {tensor.name!r} is {tensor.datatype} of shape {list(tensor.shape)}; expected {hint.told}"
    )


def _item(value: bytes | str, hint: Hint, name: str) -> Any:  # noqa: ANN401 - what the hint says
    """Give one text's value: an image where it is one, or where nothing else can be meant."""
    if isinstance(value, bytes):
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return _of_bytes(value, hint, name)
    else:
        text = value
    if images.is_url(text) or (hint.has(Kind.IMAGE) and not hint.has(Kind.TEXT)):
        return images.from_text(text, name)
    if hint.has(Kind.TEXT) or hint.has(Kind.ANY):
        return text
    if hint.has(Kind.BYTES):
        return text.encode()
    if hint.has(Kind.DICT):
        try:
            return json.loads(text)
        except ValueError:
            raise InvalidInput(f"input {name!r} is no JSON; expected {hint.told}") from None
    raise InvalidInput(f"input {name!r} is text; expected {hint.told}")


def _of_bytes(value: bytes, hint: Hint, name: str) -> Any:  # noqa: ANN401 - what the hint says
    if hint.has(Kind.IMAGE):
        return images.from_bytes(value, name)
    if hint.has(Kind.BYTES) or hint.has(Kind.ANY):
        return value
    raise InvalidInput(f"input {name!r} is not UTF-8 text; expected {hint.told}")


def _several(items: list[Any], tensor: Tensor, hint: Hint) -> Any:  # noqa: ANN401 - what the hint says
    if hint.listed:
        return items
    if len(items) == 1:
        return items[0]
    raise InvalidInput(f"input {tensor.name!r} has {len(items)} elements; expected {hint.told}, shape [1]")


def _is_numbers(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell a list, nested or not, that begins with a number, or is empty."""
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, int | float | list)
