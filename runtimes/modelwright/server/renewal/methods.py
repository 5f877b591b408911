"""Methods of an author's file, made anew and put where the old ones are, whose objects keep all that they hold."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from modelwright.model import NotRenewable

_CELL: Final = "__class_cell_of_renewal__"
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Renewed:
    """One file's new text, and by (class, name) what to put and what to drop; the class "" is the module itself."""

    path: str
    source: str
    put: Sequence[tuple[str, str]]
    drop: Sequence[tuple[str, str]]


def modules(path: str) -> list[ModuleType]:
    """Give the modules that were imported from a file, under whatever names."""
    wanted = os.path.realpath(path)
    return [each for each in list(sys.modules.values()) if _file(each) == wanted]


def put(renewed: Sequence[Renewed]) -> None:
    """Take all of it over, or nothing.

    Raises:
        NotRenewable: a class is no longer one, or a decorator needs what only the whole file gives.

    """
    made = [change for each in renewed for module in modules(each.path) for change in _changes(module, each)]
    for place, name, old, new in made:
        _set(place, name, new)
        if isinstance(place, ModuleType) and new is not _MISSING:
            _put_where_imported(name, old, new)
    for each in renewed:
        linecache.checkcache(each.path)


def _file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return os.path.realpath(file) if isinstance(file, str) else None


def _changes(module: ModuleType, renewed: Renewed) -> Iterator[tuple[Any, str, Any, Any]]:
    """Yield where something goes, its name, what is there now, and what comes, `_MISSING` for nothing."""
    tree = ast.parse(renewed.source, renewed.path)
    for owner in dict.fromkeys(owner for owner, _ in (*renewed.put, *renewed.drop)):
        place = module if not owner else getattr(module, owner, None)
        if place is not module and not isinstance(place, type):
            raise NotRenewable(f"{owner} of {module.__name__} is {type(place).__name__} there, and no class")
        names = [name for each, name in renewed.put if each == owner]
        made = _made(module, tree, place, owner, names)
        yield from ((place, name, vars(place).get(name), new) for name, new in made.items())
        yield from ((place, _mangled(owner, name), None, _MISSING) for each, name in renewed.drop if each == owner)


def _made(module: ModuleType, tree: ast.Module, place: Any, owner: str, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - a module or a class
    """Run the definitions with the module's own globals, and give what they define."""
    holder = (
        tree if not owner else next(each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == owner)
    )
    functions = ast.FunctionDef, ast.AsyncFunctionDef
    body: list[ast.stmt] = [each for each in holder.body if isinstance(each, functions) and each.name in names]
    future = [each for each in tree.body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    if owner:
        # Names with two underscores in front are another class's unless the methods are compiled within one so named.
        cell = ast.parse(f"def {_CELL}(): return __class__").body
        body = [ast.copy_location(ast.ClassDef(owner, [], [], [*body, *cell], []), holder)]
    whole = ast.fix_missing_locations(ast.Module([*future, *body], []))
    found: dict[str, Any] = {}
    try:
        exec(compile(whole, renewed_name(module), "exec", dont_inherit=True), vars(module), found)  # noqa: S102 - the author's own file
    except Exception as error:
        raise NotRenewable(
            f"{owner or module.__name__} cannot be made in parts: {type(error).__name__}: {error}"
        ) from None
    if not owner:
        return {name: found[name] for name in names}
    made = dict(vars(found[owner]))
    # `super()` in any of them finds its class there.
    made[_CELL].__closure__[0].cell_contents = place
    return {name: made[name] for name in (_mangled(owner, each) for each in names)}


def _mangled(owner: str, name: str) -> str:
    """Give the name that a class keeps a method under: that of a private one says whose it is."""
    private = owner and name.startswith("__") and not name.endswith("__")
    return f"_{owner.lstrip('_')}{name}" if private else name


def renewed_name(module: ModuleType) -> str:
    """Give the file as the module's first code was compiled to have it, which tracebacks show."""
    return str(module.__file__)


def _set(place: Any, name: str, new: Any) -> None:  # noqa: ANN401 - a module or a class, and what goes there
    if new is not _MISSING:
        setattr(place, name, new)
    elif name in vars(place):
        delattr(place, name)


def _put_where_imported(name: str, old: object, new: object) -> None:
    """Replace a module's function where `from module import function` has brought it, under the name that it has."""
    if old is None:
        return
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and vars(module).get(name) is old:
            setattr(module, name, new)
