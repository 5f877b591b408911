"""What an author's type hint admits: arrays, images, text and numbers, alone or in lists."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union, get_args, get_origin

import numpy as np


class Kind(Enum):
    """A type that a tensor, or a value of a JSON body, can become."""

    ARRAY = "an array"
    IMAGE = "an image"
    TEXT = "text"
    BYTES = "bytes"
    BOOL = "a boolean"
    INT = "an integer"
    FLOAT = "a number"
    DICT = "an object"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class Hint:
    """The kinds that a parameter takes by themselves, and those that it takes lists of."""

    single: frozenset[Kind]
    listed: frozenset[Kind]
    # Whether an array goes in as it is; asked for each tensor, and enumerations are slow to hash.
    arrays: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", Kind.ARRAY in self.single or Kind.ANY in self.single)

    def has(self, kind: Kind) -> bool:
        """Tell whether it takes `kind`, alone or in a list."""
        return kind in self.single or kind in self.listed

    @property
    def told(self) -> str:
        """The kinds in words, for a message."""
        alone = sorted(kind.value for kind in self.single)
        return " or ".join([*alone, *sorted(f"a list of {kind.value}" for kind in self.listed)])


_NOTHING = Hint(frozenset(), frozenset())
ANYTHING = Hint(frozenset({Kind.ANY}), frozenset({Kind.ANY}))
_KINDS: dict[Any, Kind] = {
    np.ndarray: Kind.ARRAY,
    str: Kind.TEXT,
    bytes: Kind.BYTES,
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    dict: Kind.DICT,
}
_LISTS = (list, tuple, Sequence, typing.Sequence, typing.List, typing.Tuple)  # noqa: UP006 - as authors write them


def read(annotation: Any) -> Hint:  # noqa: ANN401 - a type of any form
    """Read a hint, its names resolved; what it says nothing of, or what is not known here, admits anything."""
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return read(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = [read(each) for each in get_args(annotation) if each is not type(None)]
        return Hint(
            frozenset[Kind]().union(*(part.single for part in parts)),
            frozenset[Kind]().union(*(part.listed for part in parts)),
        )
    if annotation in _LISTS:
        return Hint(frozenset(), frozenset({Kind.ANY}))
    if origin in _LISTS:
        inner = read(next(iter(get_args(annotation)), Any))
        return Hint(frozenset(), inner.single or frozenset({Kind.ANY}))
    kind = _kind(origin or annotation)
    return ANYTHING if kind is None else Hint(frozenset({kind}), frozenset())


def resolved(function: Any) -> dict[str, Any]:  # noqa: ANN401 - the author's
    """Give the hints of a function by parameter, resolved; none where a name in one of them cannot be."""
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return {}


def _kind(annotation: Any) -> Kind | None:  # noqa: ANN401 - a type of any form
    module = sys.modules.get("PIL.Image")
    # `Image` itself, the module, is what some write in the place of its class.
    if module is not None and (annotation is module or annotation is module.Image):
        return Kind.IMAGE
    try:
        return _KINDS.get(annotation)
    except TypeError:
        return None
