"""A Python file read without running it: what it imports, its classes and what they are made of."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


class UnreadableSource(Exception):
    """A file that is not Python; the message names it and the line."""


@dataclass(frozen=True, slots=True)
class ClassSource:
    """One class as written; `bases` are dotted names with imports resolved, such as `mlserver.MLModel`."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file; `imports` are the dotted names that it imports, `calls` those that it calls at any depth."""

    path: Path
    imports: frozenset[str]
    classes: tuple[ClassSource, ...]
    calls: frozenset[str]


def read(path: Path) -> Source:
    """Parse one file.

    Raises:
        UnreadableSource: it is no Python, or not UTF-8.

    """
    tree = parse(path)
    names = names_in(tree)
    return Source(
        path=path,
        imports=frozenset(names.values()),
        classes=tuple(_class(node, names) for node in tree.body if isinstance(node, ast.ClassDef)),
        calls=frozenset(
            called
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and (called := dotted(node.func, names)) is not None
        ),
    )


def parse(path: Path) -> ast.Module:
    """Give one file's syntax tree.

    Raises:
        UnreadableSource: it is no Python, or not UTF-8.

    """
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=path.name)
    except SyntaxError as error:
        raise UnreadableSource(f"{path}:{error.lineno}: {error.msg}") from None
    except ValueError:
        raise UnreadableSource(f"{path} is not UTF-8 text") from None


def names_in(tree: ast.Module) -> dict[str, str]:
    """Map each imported name, wherever in the file, to what it stands for; relative imports are the author's own."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _class(node: ast.ClassDef, names: dict[str, str]) -> ClassSource:
    methods = (each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    bases = (dotted(base, names) for base in node.bases)
    return ClassSource(node.name, tuple(base for base in bases if base), frozenset(methods), node.lineno)


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """Give `a.b.C` with its first part resolved; None for what is no chain of names."""
    if isinstance(node, ast.Attribute):
        left = dotted(node.value, names)
        return f"{left}.{node.attr}" if left else None
    if isinstance(node, ast.Subscript):
        return dotted(node.value, names)
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    return None
