"""A tensor's elements: a list as authors know it, made of the array only when they look at it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.tensors import Array


def as_they_are(array: Array) -> list[Foreign]:
    """Return an array's elements."""
    elements: list[Foreign] = array.reshape(-1).tolist()
    return elements


def as_text(array: Array) -> list[Foreign]:
    """Return an array's elements, its bytes as str where all of them are UTF-8."""
    elements = as_they_are(array)
    if array.dtype != object:
        return elements
    try:
        return [each.decode() if isinstance(each, bytes) else each for each in elements]
    except UnicodeDecodeError:
        return elements


def with_nulls(array: Array) -> list[Foreign]:
    """Return an array's elements, its NaNs as None."""
    elements = as_they_are(array)
    return [None if math.isnan(each) else each for each in elements] if array.dtype.kind == "f" else elements


class TensorData:
    """The elements, row-major.

    `array` is what they are to be made of, of the tensor's shape, by `elements`; None for a list, which is made.
    """

    __slots__ = ("_root", "array", "elements")
    array: Array | None
    elements: Callable[[Array], list[Foreign]]

    def __init__(self, root: Foreign) -> None:
        self.array = None
        self._root = root

    @classmethod
    def of(cls, array: Array, elements: Callable[[Array], list[Foreign]] = as_they_are) -> TensorData:
        """Wrap an array; `elements` gives its list when somebody looks."""
        made = object.__new__(cls)
        made.array, made.elements = array, elements
        return made

    @property
    def root(self) -> Foreign:
        """The list; what an author changes in it is what counts from then on."""
        if self.array is not None:
            self._root = self.elements(self.array)
            self.array = None
        return self._root

    @root.setter
    def root(self, value: Foreign) -> None:
        self._root, self.array = value, None

    def __iter__(self) -> Iterator[Foreign]:
        return iter(self.root)

    def __getitem__(self, index: Foreign) -> Foreign:
        return self.root[index]

    def __len__(self) -> int:
        return self.array.size if self.array is not None else len(self.root)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorData):
            return NotImplemented
        same = self.root == other.root
        return bool(same) if isinstance(same, bool) else bool(same.all())

    __hash__ = None  # type: ignore[assignment]  # it may change

    def __repr__(self) -> str:
        return f"TensorData(root={self.root!r})"

    def __reduce__(self) -> tuple[type[TensorData], tuple[Foreign]]:
        return TensorData, (self.root,)

    def model_dump(self, **_: Foreign) -> Foreign:
        """Return the list."""
        return self.root
