"""What a parameter's type hint says of the tensor that it takes."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from modelwright.tensors import datatype_of


class Form(Enum):
    """What the author's code is handed."""

    ARRAY = "a numpy array"
    TORCH = "a torch tensor"
    ARRAYS = "a list of numpy arrays, one a row"
    VALUES = "a list of values"
    VALUE = "one value"
    OBJECTS = "a list of JSON objects"


@dataclass(frozen=True, slots=True)
class Hint:
    """One parameter: `datatype` is V2's, None for any; not `strict` where another may come as well."""

    form: Form
    datatype: str | None = None
    strict: bool = True
    text: bool = False

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape where the form tells it; an array's may have any number of dimensions."""
        if self.form in (Form.VALUES, Form.OBJECTS):
            return (-1,)
        return (1,) if self.form is Form.VALUE else None


ANYTHING: Final = Hint(Form.ARRAY)
_VALUES: Final[Mapping[type, tuple[str, bool]]] = {
    str: ("BYTES", True),
    bytes: ("BYTES", False),
    bool: ("BOOL", False),
    int: ("INT64", False),
    float: ("FP64", False),
}
_LISTS: Final = (list, tuple, Sequence, Iterable)


def read(annotation: object) -> Hint:
    """Give a hint; the first member of a Union that is known decides, another may name the datatype."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return _one(annotation) or ANYTHING
    members = [_one(each) for each in typing.get_args(annotation)]
    known = [each for each in members if each is not None]
    if not known:
        return ANYTHING
    first = known[0]
    named = next((each.datatype for each in known if each.datatype and each.form in (Form.ARRAY, Form.TORCH)), None)
    same = all(each.datatype == first.datatype for each in known)
    return Hint(first.form, first.datatype or named, strict=same, text=first.text)


def evaluated(function: Callable[..., Any]) -> dict[str, Any]:
    """Evaluate a function's hints, leaving out those of names that are not there, as behind a guarded import."""
    function = _unwrapped(function)
    found: dict[str, Any] = {}
    for name, raw in getattr(function, "__annotations__", {}).items():
        holder = types.SimpleNamespace(__annotations__={name: raw})
        try:
            found |= typing.get_type_hints(holder, getattr(function, "__globals__", {}))
        except Exception:  # noqa: S112 - a hint may be any expression, and is no reason not to serve
            continue
    return found


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def _one(annotation: object) -> Hint | None:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is np.ndarray or origin is np.ndarray:
        return Hint(Form.ARRAY, _datatype(arguments))
    if isinstance(annotation, type) and annotation.__name__ == "Tensor" and _is_torch(annotation):
        return Hint(Form.TORCH)
    if isinstance(annotation, type) and annotation in _VALUES:
        datatype, text = _VALUES[annotation]
        return Hint(Form.VALUE, datatype, text=text)
    if origin in _LISTS and arguments:
        return _list(arguments[0])
    return None


def _list(member: object) -> Hint | None:
    if member is dict or typing.get_origin(member) in (dict, Mapping):
        return Hint(Form.OBJECTS, "BYTES")
    inner = _one(member)
    if inner is None:
        return None
    if inner.form in (Form.ARRAY, Form.TORCH):
        return Hint(Form.ARRAYS, inner.datatype)
    return Hint(Form.VALUES, inner.datatype, text=inner.text) if inner.form is Form.VALUE else None


def _datatype(arguments: tuple[Any, ...]) -> str | None:
    """Give the datatype of `NDArray[T]`, which is `ndarray[shape, dtype[T]]`."""
    inner = typing.get_args(arguments[1]) if len(arguments) > 1 else ()
    try:
        return datatype_of(np.empty(0, np.dtype(inner[0])))
    except (IndexError, TypeError):
        return None


def _is_torch(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "torch"
