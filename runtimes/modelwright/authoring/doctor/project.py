"""A folder as the doctor sees it: its Python files, its settings, its styles."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modelwright.authoring.doctor.findings import Hit
from modelwright.authoring.doctor.module import Module
from modelwright.authoring.errors import Mistake
from modelwright.styles import detect
from modelwright.styles.source import UnreadableSource


@dataclass(frozen=True, slots=True)
class Setting:
    """A JSON file of the folder's; `value` is empty where it is no JSON object."""

    path: Path
    raw: bytes
    value: dict[str, Any]

    def line(self, key: str) -> int:
        """Give the line where a key first stands."""
        before, found, _ = self.raw.partition(f'"{key}"'.encode())
        return before.count(b"\n") + 1 if found else 1


@dataclass(frozen=True)
class Project:
    """What is examined; `broken` are files that do not parse."""

    folder: Path
    modules: tuple[Module, ...]
    styles: frozenset[str]
    broken: tuple[Hit, ...] = field(default=())

    @classmethod
    def read(cls, target: Path, style: str | None = None) -> Project:
        """Read a folder, or one file of it; raises Mistake where there is neither."""
        if not target.exists():
            raise Mistake(f"{target} is not there: name a folder with a model, or a Python file")
        if target.is_file() and target.suffix != ".py":
            raise Mistake(f"{target} is no Python file: name a folder with a model, or a Python file")
        modules, broken = [], []
        for path in [target] if target.is_file() else detect.python_files(target):
            try:
                modules.append(Module.read(path))
            except UnreadableSource as error:
                place, _, message = str(error).removeprefix(str(path)).lstrip(":").partition(": ")
                broken.append(Hit(path, int(place) if place.isdigit() else 1, message or str(error)))
        seen = {style} if style else {each.style for each in _evidence(target)}
        folder = target if target.is_dir() else target.parent
        return cls(folder, tuple(modules), frozenset(seen), tuple(broken))

    def lines(self, name: str) -> list[str] | None:
        """Give the lines of a text file of the folder's; None where it has none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else None

    def settings(self, name: str) -> Iterator[Setting]:
        """Yield the JSON files of a name, in the folder and one level down."""
        for path in (self.folder / name, *sorted(self.folder.glob(f"*/{name}"))):
            if path.is_file():
                raw = path.read_bytes()
                try:
                    value = json.loads(raw)
                except ValueError:
                    value = {}
                yield Setting(path, raw, value if isinstance(value, dict) else {})

    @cached_property
    def served(self) -> tuple[Module, ...]:
        """The files that a server would import: those that use a style, and what these import; not tests and tools.

        All of them where none uses a style.
        """
        packages = tuple(package for signs in detect.SIGNS.values() for package in signs.packages)
        waiting = [each for each in self.modules if _uses(each, packages) and not _is_test(each.path)]
        found: list[Module] = []
        while waiting:
            module = waiting.pop()
            if module in found:
                continue
            found.append(module)
            tops = {name.partition(".")[0] for name in module.names.values()} | _relative(module)
            waiting += [each for each in self.modules if each.path.stem in tops or each.path.parent.name in tops]
        ordered = tuple(each for each in self.modules if each in found)
        return ordered or tuple(each for each in self.modules if not _is_test(each.path))

    @cached_property
    def own_modules(self) -> frozenset[str]:
        """The names under which the author's own files import each other."""
        names = {each.path.stem for each in self.modules} | {each.path.parent.name for each in self.modules}
        return frozenset(names | {each.stem for each in self.folder.glob("*.py")})


def _relative(module: Module) -> set[str]:
    """Give the names of the author's modules that are imported relatively, with those of what is imported from them."""
    found = [each for each in module.nodes if isinstance(each, ast.ImportFrom) and each.level]
    return {part for each in found for part in (each.module or "").split(".")} | {
        alias.name for each in found for alias in each.names
    }


def _uses(module: Module, packages: tuple[str, ...]) -> bool:
    return any(name.partition(".")[0] in packages or name.startswith(packages) for name in module.names.values())


def _is_test(path: Path) -> bool:
    return path.name.startswith("test_") or path.name.endswith("_test.py") or path.name in ("conftest.py", "setup.py")


def _evidence(target: Path) -> Iterator[detect.Evidence]:
    try:
        yield from detect.evidence(target)
    except UnreadableSource:
        return
