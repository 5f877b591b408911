"""The names that a folder's models are served under, as far as its files say them: nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from modelwright.styles import weight_files
from modelwright.styles.detect import SIGNS, python_files
from modelwright.styles.source import UnreadableSource, dotted, names_in, parse

_FROM_CLASS: Final = ".ModelSpec.from_cls"


def named(folder: Path, style: str) -> Mapping[str, str]:
    """Map each model's name to its version, which is empty where no file says one."""
    if style == "mlserver" and (found := dict(_of_settings(folder))):
        return found
    names: dict[str, str] = {}
    for path in python_files(folder):
        try:
            tree = parse(path)
        except UnreadableSource:
            continue
        names.update(dict.fromkeys(_of_code(tree, style), ""))
    return names


def _of_settings(folder: Path) -> Iterator[tuple[str, str]]:
    for path in weight_files.settings(folder):
        document = weight_files.document(path)
        parameters = document.get("parameters")
        version = parameters.get("version") if isinstance(parameters, dict) else None
        yield str(document.get("name") or document.get("model") or path.parent.resolve().name), str(version or "")


def _of_code(tree: ast.Module, style: str) -> Iterator[str]:
    imported = names_in(tree)
    classes = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(_theirs(dotted(base, imported), style) for base in node.bases)
    ]
    if style not in ("kserve", "nos"):
        yield from classes
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _given(node, classes, imported)):
            yield name


def _theirs(base: str | None, style: str) -> bool:
    signs = SIGNS[style]
    return base is not None and base.startswith(signs.packages) and base.rpartition(".")[2] in signs.names


def _given(call: ast.Call, classes: list[str], imported: Mapping[str, str]) -> str | None:
    """Give the name in `IrisModel("iris")` and in `ModelSpec.from_cls(CLIP)`."""
    called = dotted(call.func, dict(imported))
    first = next((each.value for each in call.keywords if each.arg == "name"), call.args[0] if call.args else None)
    if called in classes and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    if called and called.startswith("nos.") and called.endswith(_FROM_CLASS) and isinstance(first, ast.Name):
        return first.id
    return None
