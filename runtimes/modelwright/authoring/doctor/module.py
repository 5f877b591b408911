"""One Python file of the author's, read: its tree, and where in its bytes a node stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modelwright.authoring.doctor.findings import Edit, Hit
from modelwright.styles.source import dotted, names_in, parse

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A file that parses; `names` maps what it imports to what that stands for."""

    path: Path
    raw: bytes
    tree: ast.Module
    names: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Module:
        """Parse a file; raises UnreadableSource."""
        tree = parse(path)
        return cls(path, path.read_bytes(), tree, names_in(tree))

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.raw.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @property
    def newline(self) -> bytes:
        """How the file ends its lines."""
        return b"\r\n" if b"\r\n" in self.raw else b"\n"

    def dotted(self, node: ast.expr) -> str:
        """Give `a.b.C` with its import resolved; empty for what is no chain of names."""
        return dotted(node, self.names) or ""

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Give where a node begins and ends in `raw`."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[end_line - 1] + end_column

    def text(self, node: ast.expr) -> str:
        """Give a node as it is written."""
        start, end = self.span(node)
        return self.raw[start:end].decode()

    def replace(self, node: ast.expr, text: str) -> Edit:
        """Write `text` in a node's place."""
        return Edit(self.path, *self.span(node), text.encode())

    def insert_before(self, node: ast.stmt, text: str) -> Edit:
        """Write `text` right before a statement, on its line."""
        start, _ = self.span(node)
        return Edit(self.path, start, start, text.encode())

    def line_after(self, node: ast.stmt, text: str) -> Edit:
        """Write a line after the one on which a statement ends, indented as the statement's is."""
        end = self._starts[node.end_lineno or node.lineno] - 1
        end -= self.raw[:end].endswith(b"\r")
        end = min(end, len(self.raw))
        return Edit(self.path, end, end, self.newline + self._indent(node) + text.encode())

    def line_before(self, node: ast.stmt, text: str) -> Edit:
        """Write a line before a statement, indented as it is."""
        start, _ = self.span(node)
        return Edit(self.path, start, start, text.encode() + self.newline + self._indent(node))

    def _indent(self, node: ast.stmt) -> bytes:
        line = self.raw[self._starts[node.lineno - 1] :]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def importing(self, statement: str) -> Edit:
        """Write an import after the file's last one, else after its docstring, else first."""
        imports = [each for each in self.tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
        if imports:
            return self.line_after(imports[-1], statement)
        if ast.get_docstring(self.tree) is not None:
            return self.line_after(self.tree.body[0], statement)
        return Edit(self.path, 0, 0, statement.encode() + self.newline)

    def hit(self, node: ast.AST, what: str, *edits: Edit) -> Hit:
        """Report a node."""
        return Hit(self.path, getattr(node, "lineno", 1), what, edits)

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield every call with the dotted name of what is called."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield self.dotted(node.func), node

    def subclasses(self, package: tuple[str, ...], name: str) -> Iterator[ast.ClassDef]:
        """Yield the classes with a base called `name` of one of the packages."""
        for node in self.nodes:
            if isinstance(node, ast.ClassDef) and any(
                base.rpartition(".")[2] == name and base.startswith(package) for base in map(self.dotted, node.bases)
            ):
                yield node


def methods(kind: ast.ClassDef) -> dict[str, Function]:
    """Map a class's methods by name."""
    return {each.name: each for each in kind.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function that run when it is called: not those of functions defined in it."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(node))
    while waiting:
        each = waiting.pop(0)
        yield each
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(each))


def assigned_to_self(node: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Yield every `self.NAME = ...` below a node."""
    for each in ast.walk(node):
        targets = (
            each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
        )
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
                    assert isinstance(each, ast.stmt)  # noqa: S101 - both are
                    yield part.attr, each


def text_of(node: ast.AST | None) -> str | None:
    """Give the text that a literal is."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
