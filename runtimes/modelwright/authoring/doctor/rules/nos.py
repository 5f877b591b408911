"""Traps of NOS: two generations that do not fit, and documents that mix them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from modelwright.authoring.doctor.findings import Edit, Hit, Rule, Severity
from modelwright.authoring.doctor.module import Module, methods
from modelwright.authoring.doctor.project import Project

_RESERVED: Final = frozenset(
    (
        "get",
        "async_get",
        "submit",
        "scale",
        "cleanup",
        "spec",
        "deployment",
        "results",
        "has_next",
        "get_next",
        "pending",
    )
)


def _handles(module: Module) -> set[str]:
    """Give the names that hold a model handle: what a manager's load or get returned, or what is hinted as one."""
    held: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.AnnAssign) and "ModelHandle" in ast.unparse(node.annotation):
            held.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = ast.unparse(node.value.func)
            if made.endswith((".load", ".add", ".get")) and "manager" in made.lower():
                held.update(ast.unparse(target) for target in node.targets)
        elif isinstance(node, ast.arg) and node.annotation and "ModelHandle" in ast.unparse(node.annotation):
            held.add(node.arg)
    return held


def _wrapped(module: Module) -> Iterator[ast.ClassDef]:
    """Yield the classes of the file that a ModelSpec is made of."""
    named = {
        ast.unparse(node.args[0])
        for called, node in module.calls()
        if called.endswith("ModelSpec.from_cls") and node.args
    }
    yield from (node for node in module.nodes if isinstance(node, ast.ClassDef) and node.name in named)


def _positional(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        held = _handles(module)
        parameters = {
            name: [each.arg for each in method.args.args[1:]]
            for kind in _wrapped(module)
            for name, method in methods(kind).items()
        }
        for node in module.nodes:
            if not isinstance(node, ast.Call) or not node.args or any(isinstance(a, ast.Starred) for a in node.args):
                continue
            method = _method(node.func, held)
            if method is None or method in _RESERVED:
                continue
            names = parameters.get(method, [])
            edits: tuple[Edit, ...] = ()
            if len(names) >= len(node.args):
                edits = tuple(
                    module.replace(argument, f"{name}={module.text(argument)}")
                    for name, argument in zip(names, node.args, strict=False)
                )
            yield module.hit(node, f"{ast.unparse(node.func)} is called with positional arguments", *edits)


def _method(called: ast.expr, held: set[str]) -> str | None:
    """Give the author's method that a call through a handle is for."""
    if ast.unparse(called) in held:
        return "__call__"
    if isinstance(called, ast.Attribute):
        if ast.unparse(called.value) in held:
            return called.attr
        if (
            called.attr == "submit"
            and isinstance(called.value, ast.Attribute)
            and ast.unparse(called.value.value) in held
        ):
            return called.value.attr
    return None


def _manager_import(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for node in module.nodes:
            source = node.module if isinstance(node, ast.ImportFrom) else None
            if source is not None and (source == "nos.manager" or source.startswith("nos.manager.")):
                assert isinstance(node, ast.ImportFrom)  # noqa: S101 - it has a module
                start, end = module.span(node)
                text = module.raw[start:end].replace(b"nos.manager", b"nos.managers", 1)
                yield module.hit(node, "nos.manager is no module of NOS", Edit(module.path, start, end, text))


def _scale_calls(project: Project) -> Iterator[tuple[Module, ast.Call, ast.expr | None, ast.keyword | None]]:
    for module in project.modules:
        for node in module.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "scale":
                named = [each for each in node.keywords if each.arg in ("replicas", "num_replicas")]
                first = node.args[0] if node.args else None
                yield module, node, named[0].value if named else first, named[0] if named else None


def _scale_keyword(project: Project) -> Iterator[Hit]:
    for module, node, value, keyword in _scale_calls(project):
        if keyword is not None and value is not None and len(node.keywords) == 1 and not node.args:
            start, _ = module.span(node.func)
            _, end = module.span(node)
            text = f"{module.text(node.func)}({module.text(value)})"
            generation = "up to 0.1.4" if keyword.arg == "replicas" else "from 0.1.5"
            edit = Edit(module.path, start, end, text.encode())
            yield module.hit(node, f"scale({keyword.arg}=...) is NOS {generation} only", edit)


def _scale_auto(project: Project) -> Iterator[Hit]:
    for module, node, value, _ in _scale_calls(project):
        if isinstance(value, ast.Constant) and value.value == "auto":
            yield module.hit(node, 'scale("auto") is not implemented in NOS')


def _drain(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for node in module.nodes:
            if not (isinstance(node, ast.While) and isinstance(node.test, ast.UnaryOp)):
                continue
            test = node.test
            if isinstance(test.op, ast.Not) and ast.unparse(test.operand).endswith("results.ready()"):
                left = ast.unparse(test.operand).removesuffix(".ready()")
                edit = module.replace(test, f"{left}.has_next()")
                yield module.hit(
                    node, "ready() means that the queue is full, so this loop drains nothing, or for ever", edit
                )


def _reserved(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for kind in _wrapped(module):
            for name in sorted(methods(kind).keys() & _RESERVED):
                yield module.hit(methods(kind)[name], f"{kind.name}.{name} has the name of a method of ModelHandle")


RULES: Final = (
    Rule(
        "nos-positional",
        Severity.WARNING,
        "it works here; NOS drops positional arguments without a word",
        "name every argument: handle.encode_image(images=[...])",
        _positional,
    ),
    Rule(
        "nos-manager-import",
        Severity.WARNING,
        "it works here; NOS has nos.managers only",
        "from nos.managers import ModelManager, ModelHandle",
        _manager_import,
    ),
    Rule(
        "nos-scale-keyword",
        Severity.WARNING,
        "it works here; the other generation of NOS refuses the keyword",
        "scale(4), which both take",
        _scale_keyword,
    ),
    Rule(
        "nos-scale-auto",
        Severity.WARNING,
        "it works here, by the memory that one replica took; NOS raises NotImplementedError",
        "give a number where NOS itself is to run it",
        _scale_auto,
    ),
    Rule(
        "nos-drain",
        Severity.WARNING,
        "it works here; on NOS results are lost or the loop does not end",
        "while handle.results.has_next(): yield handle.results.get_next()",
        _drain,
    ),
    Rule(
        "nos-reserved-method",
        Severity.ERROR,
        "the handle's own method is called in its place",
        "give the method another name",
        _reserved,
    ),
)
