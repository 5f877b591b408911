"""Python values as typed frames: a JSON head that tells types and shapes, and buffers for what is large.

Numbers, text, lists, tuples, dictionaries, bytes, numpy arrays and Pillow images have a type of their own here. Any
other object, such as an exception or an instance of the author's class, is pickled: frames go only between a process
and the replicas that it started itself, over a socket that has no name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import cloudpickle  # type: ignore[import-untyped]
import numpy as np

Buffer = bytes | bytearray | memoryview
_ITSELF: Final = (type(None), bool, int, float, str)
_PLAIN: Final = "biufc?"
# Pillow's modes whose pixels are all there is to them; a palette is more.
_MODES: Final = ("1", "L", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA")


def pack(value: object) -> tuple[bytes, list[Buffer]]:
    """Return the head and the buffers of a value; raises what pickling raises for an object that cannot be."""
    buffers: list[Buffer] = []
    return json.dumps(_packed(value, buffers), separators=(",", ":")).encode("ascii"), buffers


def unpack(head: Buffer, buffers: Sequence[memoryview]) -> Any:  # noqa: ANN401 - any value
    """Return the value; arrays are views of their buffers, and as writable as those are."""
    return _unpacked(json.loads(bytes(head)), buffers)


def _packed(value: Any, buffers: list[Buffer]) -> Any:  # noqa: ANN401 - JSON of any depth
    kind = type(value)
    if kind in _ITSELF:
        return value
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(value, buffers)
    if kind is np.ndarray and value.dtype.kind in _PLAIN:
        return ["a", _kept(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data, buffers), *_form(value)]
    if isinstance(value, np.generic) and value.dtype.kind in _PLAIN:
        return ["n", _kept(value.tobytes(), buffers), value.dtype.str]
    if _is_image(value):
        return ["i", _kept(value.tobytes(), buffers), value.mode, list(value.size)]
    return ["o", _kept(cloudpickle.dumps(value), buffers)]


def _unpacked(packed: Any, buffers: Sequence[memoryview]) -> Any:  # noqa: ANN401 - JSON of any depth
    if not isinstance(packed, list):
        return packed
    return _READERS[packed[0]](packed[1:], buffers)


def _kept(buffer: Buffer, buffers: list[Buffer]) -> int:
    buffers.append(buffer)
    return len(buffers) - 1


def _form(array: np.ndarray[Any, Any]) -> tuple[str, list[int]]:
    return array.dtype.str, list(array.shape)


def _is_image(value: object) -> bool:
    # Who has made an image has imported Pillow.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image) and value.mode in _MODES


def _image(fields: list[Any], buffers: Sequence[memoryview]) -> Any:  # noqa: ANN401 - Pillow is optional
    from PIL import Image  # noqa: PLC0415 - only who sends images has it

    place, mode, size = fields
    return Image.frombytes(mode, tuple(size), bytes(buffers[place]))


def _array(fields: list[Any], buffers: Sequence[memoryview]) -> np.ndarray[Any, Any]:
    place, dtype, shape = fields
    return np.frombuffer(buffers[place], dtype=np.dtype(dtype)).reshape(shape)


def _dictionary(value: dict[Any, Any], buffers: list[Buffer]) -> list[Any]:
    return ["d", [[_packed(key, buffers), _packed(item, buffers)] for key, item in value.items()]]


_MAKERS: Final[dict[type, Callable[[Any, list[Buffer]], list[Any]]]] = {
    list: lambda value, buffers: ["l", [_packed(item, buffers) for item in value]],
    tuple: lambda value, buffers: ["t", [_packed(item, buffers) for item in value]],
    dict: _dictionary,
    bytes: lambda value, buffers: ["b", _kept(value, buffers)],
}
_READERS: Final[dict[str, Callable[[list[Any], Sequence[memoryview]], Any]]] = {
    "l": lambda fields, buffers: [_unpacked(item, buffers) for item in fields[0]],
    "t": lambda fields, buffers: tuple(_unpacked(item, buffers) for item in fields[0]),
    "d": lambda fields, buffers: {_unpacked(key, buffers): _unpacked(item, buffers) for key, item in fields[0]},
    "b": lambda fields, buffers: bytes(buffers[fields[0]]),
    "a": _array,
    "n": lambda fields, buffers: np.frombuffer(buffers[fields[0]], dtype=np.dtype(fields[1]))[0],
    "i": _image,
    "o": lambda fields, buffers: cloudpickle.loads(buffers[fields[0]]),
}
