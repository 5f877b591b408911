"""Two versions of an author's file: whether they differ in handlers only, or in what loads too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# Methods that a model is made or loaded by, in all five styles, and those whose answers are asked for only then.
_LOADING: Final = frozenset(
    [
        "__init__",
        "__new__",
        "__post_init__",
        "__init_subclass__",
        "__set_name__",
        "__class_getitem__",
        "load",
        "setup",
        "start",
        "start_engine",
        "weights_names",
        "id_file_mapping",
        "model_id_names",
        "conda_env_name",
        "num_gpus",
        "download_weights_on_node",
    ]
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unit(NamedTuple):
    """A method of a class, or with an `owner` of "" a function of the module."""

    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed: `put` and `drop` can be taken over as they are where `restart`, the reason against it, is None.

    `changed` is what the author wrote anew; `put` also has what only moved, so that tracebacks name the right lines.
    """

    restart: str | None = None
    changed: tuple[Unit, ...] = ()
    put: tuple[Unit, ...] = ()
    drop: tuple[Unit, ...] = ()


def compare(name: str, before: ast.Module, after: ast.Module) -> Difference:
    """Tell the difference of two versions of the file called `name`."""
    old, new = _units(before), _units(after)
    changed = [unit for unit in new if unit not in old or _text(old[unit]) != _text(new[unit])]
    drop = [unit for unit in old if unit not in new]
    reason = _outside(name, before, after) or _loads(name, [*changed, *drop], (before, old), (after, new))
    if reason is not None:
        return Difference(reason, (*changed, *drop))
    # A decorator is not run again for what only moved: it may keep something, as functools.cache does.
    moved = (unit for unit in new if unit in old and _plain(new[unit]) and _place(old[unit]) != _place(new[unit]))
    return Difference(None, (*changed, *drop), tuple(dict.fromkeys((*changed, *moved))), tuple(drop))


def _units(tree: ast.Module) -> Mapping[Unit, list[_Function]]:
    """Map each function of the module and each method to its definitions: of a property, getter and setter."""
    found: dict[Unit, list[_Function]] = {}
    for owner, body in [("", tree.body), *((each.name, each.body) for each in _classes(tree))]:
        for node in body:
            if isinstance(node, _Function):
                found.setdefault(Unit(owner, node.name), []).append(node)
    return found


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in tree.body if isinstance(node, ast.ClassDef))


def _rest(tree: ast.Module) -> Iterator[tuple[str, ast.AST, str]]:
    """Yield what is no unit, as text, as itself, and as what a person calls it."""
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef):
            head = ast.ClassDef(node.name, node.bases, node.keywords, [], node.decorator_list)
            yield ast.dump(head), ast.copy_location(head, node), f"the head of class {node.name}"
            yield from ((ast.dump(each), each, f"class {node.name}'s own code") for each in _statements(node.body))
        else:
            yield ast.dump(node), node, "module-level code"


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements but for functions and texts, which are comments."""
    for node in body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, _Function) and not text:
            yield node


def _outside(name: str, before: ast.Module, after: ast.Module) -> str | None:
    old, new = list(_rest(before)), list(_rest(after))
    if [text for text, _, _ in old] == [text for text, _, _ in new]:
        return None
    known = {text for text, _, _ in old}
    added = next(((node, what) for text, node, what in new if text not in known), None)
    if added is None:
        return f"{name}: code outside of methods is gone or in another order"
    return f"{name}:{getattr(added[0], 'lineno', 1)}: {added[1]} changed"


def _loads(
    name: str, changed: Iterable[Unit], *versions: tuple[ast.Module, Mapping[Unit, list[_Function]]]
) -> str | None:
    decorated = {each.name for tree, _ in versions for each in _classes(tree) if each.decorator_list}
    reached = frozenset[str]().union(*(_reached(tree, units) for tree, units in versions))
    for unit in changed:
        if unit.name in _LOADING and unit.owner:
            return f"{name}: {unit}, which loads, changed"
        if unit.name in reached:
            return f"{name}: {unit}, which is used where the model is loaded, changed"
        if unit.owner in decorated:
            return f"{name}: {unit} changed, and class {unit.owner} is decorated"
    return None


def _reached(tree: ast.Module, units: Mapping[Unit, list[_Function]]) -> frozenset[str]:
    """Give each name that import or load may use, by whatever way: more than they do, and never less."""
    names = {each for _, node, _ in _rest(tree) for each in _mentions([node])}
    for unit, nodes in units.items():
        # What a definition computes when it is made, which no later call does again.
        made = (each for node in nodes for each in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults))
        names.update(_mentions(each for each in made if each is not None))
        if unit.owner and unit.name in _LOADING:
            names.update(_mentions(nodes))
    todo = set(units)
    while found := {unit for unit in todo if unit.name in names}:
        todo -= found
        for unit in found:
            names.update(_mentions(units[unit]))
    return frozenset(names)


def _mentions(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                yield each.id
            elif isinstance(each, ast.Attribute):
                yield each.attr


def _text(nodes: Sequence[_Function]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _place(nodes: Sequence[_Function]) -> list[int]:
    return [each.lineno for node in nodes for each in ast.walk(node) if isinstance(each, ast.stmt)]


def _plain(nodes: Sequence[_Function]) -> bool:
    return len(nodes) == 1 and not nodes[0].decorator_list
