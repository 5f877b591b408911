"""A tensor's elements: a list as authors know it, made of the array only when they look at it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.tensors import Array


class TensorData:
    """The elements, row-major; `array` is what they were made of, of the tensor's shape, or None for a list."""

    __slots__ = ("_made", "_nulls", "_root", "_text", "array")

    def __init__(self, root: Foreign) -> None:
        self.array: Array | None = None
        self._root = root
        self._made = True
        self._text = self._nulls = False

    @classmethod
    def of(cls, array: Array, *, text: bool = False, nulls: bool = False) -> TensorData:
        """Wrap an array; `text` gives its bytes as str where they are, `nulls` its NaNs as None."""
        made = object.__new__(cls)
        made.array = array
        made._text, made._nulls, made._made = text, nulls, False
        return made

    @property
    def root(self) -> Foreign:
        """The list; what an author changes in it is what counts from then on."""
        if not self._made:
            assert self.array is not None  # noqa: S101 - `of` set it
            self._root = self._elements(self.array)
            self._made, self.array = True, None
        return self._root

    @root.setter
    def root(self, value: Foreign) -> None:
        self._root, self._made, self.array = value, True, None

    def _elements(self, array: Array) -> list[Foreign]:
        elements: list[Foreign] = array.reshape(-1).tolist()
        if self._text and array.dtype == object:
            try:
                return [each.decode() if isinstance(each, bytes) else each for each in elements]
            except UnicodeDecodeError:
                return elements
        if self._nulls and array.dtype.kind == "f":
            return [None if math.isnan(each) else each for each in elements]
        return elements

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
