"""Guarded imports read without running them: `if is_running_in_env("name"):` and what `conda_env_name` returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_GUARD: Final = "is_running_in_env"
_PROPERTY: Final = "conda_env_name"


@dataclass(frozen=True, slots=True)
class Guards:
    """The environments that one file's guards name, and those that its classes, by name, say they run in.

    `by_class` lacks those that only running the class would tell.
    """

    guarded: frozenset[str]
    by_class: Mapping[str, str]

    @property
    def environments(self) -> frozenset[str]:
        """Those of all classes."""
        return frozenset(self.by_class.values())

    @property
    def held(self) -> frozenset[str]:
        """The environments that count as running where this file's models are served.

        A file none of whose guards names its own environment was written with one name too many: all guards count.
        """
        return self.environments if self.guarded & self.environments else self.environments | self.guarded

    @property
    def mistaken(self) -> bool:
        """Whether guards and classes name different environments, so that Curator itself would never import."""
        return bool(self.guarded and self.environments and not self.guarded & self.environments)


def read(path: Path) -> Guards:
    """Read one file, which is known to be Python."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=path.name)
    constants = dict(_constants(tree))
    called = (_text(node.args[0], constants) for node in ast.walk(tree) if isinstance(node, ast.Call) and _guards(node))
    return Guards(
        guarded=frozenset(name for name in called if name),
        by_class=dict(_environments(tree, constants)),
    )


def _guards(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
    return name == _GUARD and bool(node.args)


def _environments(tree: ast.Module, constants: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for kind in (each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)):
        for node in kind.body:
            if isinstance(node, ast.FunctionDef) and node.name == _PROPERTY:
                returned = (_text(each.value, constants) for each in ast.walk(node) if isinstance(each, ast.Return))
                yield from ((kind.name, name) for name in returned if name)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        for target in targets:
            if (
                isinstance(target, ast.Name)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield target.id, node.value.value


def _text(node: ast.expr | None, constants: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None
