"""From what an author's method returns to tensors, and to JSON."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from modelwright.errors import InferenceError
from modelwright.styles.nos import images
from modelwright.tensors import Array, Tensor, datatype_of

# The first generation's name for what a method returns.
RESULT: Final = "result"


def tensors(value: Any) -> list[Tensor]:  # noqa: ANN401 - the author's
    """Give a dictionary's items, a tuple's parts, or the one value as tensors; None is no tensor.

    Raises:
        InferenceError: it holds what no V2 datatype can.

    """
    if value is None:
        return []
    if isinstance(value, dict):
        return [_tensor(str(name), item) for name, item in value.items() if item is not None]
    if isinstance(value, tuple):
        return [_tensor(f"{RESULT}-{place}", item) for place, item in enumerate(value) if item is not None]
    return [_tensor(RESULT, value)]


def plain(value: Any) -> Any:  # noqa: ANN401 - the author's in, JSON out
    """Give a value for a JSON body: images as data URLs, arrays as they are, for the codec to write."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if _is_image(value):
        return images.to_text(value)
    return _unwrapped(value)


def _tensor(name: str, value: Any) -> Tensor:  # noqa: ANN401 - the author's
    array = value if type(value) is np.ndarray else _array(name, _unwrapped(value))
    try:
        datatype = datatype_of(array)
    except TypeError as error:
        raise InferenceError(f"output {name!r} of the model: {error}") from None
    if datatype == "BYTES":
        array = _texts(name, array)
    return Tensor(name, datatype, array.shape, array)


def _array(name: str, value: Any) -> Array:  # noqa: ANN401 - the author's
    if isinstance(value, np.ndarray):
        return value
    items = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    items = [_unwrapped(item) for item in items]
    if any(isinstance(item, str | bytes | dict) or _is_image(item) for item in items):
        texts = np.empty(len(items), dtype=object)
        texts[:] = [_text(item) for item in items]
        return texts
    try:
        return np.asarray(items)
    except ValueError:
        raise InferenceError(f"output {name!r} of the model is ragged: its parts differ in shape") from None


def _texts(name: str, array: Array) -> Array:
    texts = np.empty(array.size, dtype=object)
    texts[:] = [_text(item) if isinstance(item, str | bytes | dict) else None for item in array.ravel()]
    if any(text is None for text in texts):
        kind = next(type(item).__name__ for item in array.ravel() if not isinstance(item, str | bytes | dict))
        raise InferenceError(f"output {name!r} of the model has {kind}, which no V2 datatype can hold; return arrays")
    return texts.reshape(array.shape)


def _text(item: Any) -> bytes:  # noqa: ANN401 - the author's
    if isinstance(item, bytes):
        return item
    if isinstance(item, dict):
        return json.dumps(plain(item), default=_listed).encode()
    return (images.to_text(item) if _is_image(item) else str(item)).encode()


def _listed(value: Any) -> Any:  # noqa: ANN401 - the author's
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise InferenceError(f"the model answered with {type(value).__name__}, which has no JSON form")


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 - the author's
    """Give a torch tensor's array, wherever it lies."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") and hasattr(value, "cpu") else value


def _is_image(value: object) -> bool:
    return hasattr(value, "save") and hasattr(value, "getbands")
