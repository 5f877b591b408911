"""What another process needs before it reads pickled objects of this one: where modules are, and import hooks."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

_OURS = "modelwright."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The folders of `sys.path`, and the classes of Modelwright's import hooks, which are made without arguments."""

    folders: tuple[str, ...]
    finders: tuple[type[Any], ...]

    @staticmethod
    def here() -> Surroundings:
        """Describe this process."""
        kinds = [type(finder) for finder in sys.meta_path]
        return Surroundings(tuple(sys.path), tuple(kind for kind in kinds if kind.__module__.startswith(_OURS)))

    def take(self) -> None:
        """Find modules in this process as in that one; what is there already stays."""
        sys.path[:0] = [folder for folder in self.folders if folder not in sys.path]
        there = {type(finder) for finder in sys.meta_path}
        sys.meta_path[:0] = [kind() for kind in self.finders if kind not in there]
