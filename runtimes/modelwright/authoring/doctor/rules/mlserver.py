"""Traps in MLServer's classes: hints, coroutines, what `load()` returns, misspelt attributes."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from typing import Final

from modelwright.authoring.doctor.findings import Edit, Hit, Rule, Severity
from modelwright.authoring.doctor.module import Function, Module, methods, within
from modelwright.authoring.doctor.project import Project

PACKAGE: Final = ("mlserver",)
_AWAITED: Final = ("load", "predict", "unload")
_BUILTIN: Final = {"list": "List", "tuple": "Tuple", "dict": "Dict"}
# Attributes of MLServer's requests, responses, tensors and settings.
_KNOWN: Final = frozenset(
    ("parameters", "headers", "content_type", "inputs", "outputs", "datatype", "shape", "data", "name", "id",
     "model_name", "model_version", "implementation", "settings", "version", "uri", "extra", "decode", "encode",
     "decode_request", "encode_response", "ready", "metadata", "root")
)  # fmt: skip
_ALIKE: Final = 0.85


def _models(project: Project) -> Iterator[tuple[Module, ast.ClassDef]]:
    for module in project.modules:
        for kind in module.subclasses(PACKAGE, "MLModel"):
            yield module, kind


def _decoded(project: Project) -> Iterator[tuple[Module, Function]]:
    """Yield the methods under @decode_args."""
    for module in project.modules:
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                module.dotted(each).endswith("decode_args") for each in node.decorator_list
            ):
                yield module, node


def _hints(project: Project) -> Iterator[Hit]:
    for module, method in _decoded(project):
        for hint in (*(each.annotation for each in _arguments(method)), method.returns):
            if hint is None or isinstance(hint, ast.Constant):
                continue
            needed: set[str] = set()
            text = _spelled(module, hint, needed)
            if needed:
                imports = [
                    module.importing(f"from typing import {name}") for name in sorted(needed - set(module.names))
                ]
                what = f"{module.text(hint)} of {method.name}'s signature is not known to MLServer"
                yield module.hit(hint, what, module.replace(hint, text), *imports)


def _spelled(module: Module, hint: ast.expr, needed: set[str]) -> str:
    """Write a hint as MLServer wants it, and tell which names of typing that takes."""
    if isinstance(hint, ast.Subscript) and isinstance(hint.value, ast.Name) and hint.value.id in _BUILTIN:
        # `tuple` is how several outputs are told, and fine as it is.
        if hint.value.id == "tuple":
            return module.text(hint)
        needed.add(_BUILTIN[hint.value.id])
        return f"{_BUILTIN[hint.value.id]}[{_spelled(module, hint.slice, needed)}]"
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        sides = (hint.left, hint.right)
        others = [each for each in sides if not (isinstance(each, ast.Constant) and each.value is None)]
        written = [_spelled(module, each, needed) for each in others]
        needed.add("Optional" if len(others) == 1 else "Union")
        return f"Optional[{written[0]}]" if len(others) == 1 else f"Union[{', '.join(written)}]"
    return module.text(hint)


def _unannotated(project: Project) -> Iterator[Hit]:
    for module, method in _decoded(project):
        for each in _arguments(method):
            if each.annotation is None:
                yield module.hit(each, f"{method.name}'s argument {each.arg} has no type hint")
        if method.returns is None or (isinstance(method.returns, ast.Constant) and method.returns.value is None):
            yield module.hit(method, f"{method.name} does not say what it returns")


def _arguments(method: Function) -> list[ast.arg]:
    return [*method.args.args[1:], *method.args.kwonlyargs]


def _no_default(project: Project) -> Iterator[Hit]:
    for module, method in _decoded(project):
        positional = method.args.args[1:]
        with_default = {each.arg for each in positional[len(positional) - len(method.args.defaults) :]}
        named = zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)
        with_default |= {each.arg for each, default in named if default is not None}
        for each in _arguments(method):
            hint = ast.unparse(each.annotation) if each.annotation else ""
            if re.match(r"(typing\.)?Optional\[|.*\| None$", hint) and each.arg not in with_default:
                yield module.hit(each, f"{method.name}'s argument {each.arg} is optional and has no default")


def _not_async(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        for name, method in methods(kind).items():
            if name in _AWAITED and isinstance(method, ast.FunctionDef):
                edit = module.insert_before(method, "async ")
                yield module.hit(method, f"{kind.name}.{name} is a plain def", edit)


def _load_returns(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        load = methods(kind).get("load")
        if load is None or any(isinstance(each, ast.Return) and _tells(each) for each in within(load)):
            continue
        last = load.body[-1]
        if any(isinstance(each, ast.Raise) for each in load.body):
            continue
        bare = any(isinstance(each, ast.Return) for each in within(load)) or last.lineno == load.lineno
        edits = () if bare else (module.line_after(last, "return True"),)
        yield module.hit(load, f"{kind.name}.load() returns nothing", *edits)


def _tells(node: ast.Return) -> bool:
    return node.value is not None and not (isinstance(node.value, ast.Constant) and not node.value.value)


def _stream_settings(project: Project) -> Iterator[Hit]:
    streams = [(module, kind) for module, kind in _models(project) if "predict_stream" in methods(kind)]
    if not streams:
        return
    settings = next(iter(project.settings("settings.json")), None)
    value = settings.value if settings else {}
    wrong = [
        f'"{key}": {wanted}'
        for key, wanted, fits in (
            ("gzip_enabled", "false", value.get("gzip_enabled") is False),
            ("parallel_workers", "0", value.get("parallel_workers") == 0),
        )
        if not fits
    ]
    if wrong:
        module, kind = streams[0]
        what = f"{kind.name} streams, and settings.json does not say {' and '.join(wrong)}"
        yield module.hit(methods(kind)["predict_stream"], what)


def _misspelt(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        own = {
            node.attr for node in ast.walk(kind) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        own |= {name for each in ast.walk(module.tree) if isinstance(each, ast.ClassDef) for name in methods(each)}
        for node in ast.walk(kind):
            if (
                not isinstance(node, ast.Attribute)
                or node.attr in _KNOWN | own
                or module.dotted(node).startswith("self")
            ):
                continue
            close = difflib.get_close_matches(node.attr, sorted(_KNOWN), 1, _ALIKE)
            # A plural of a known word is likelier another word.
            if close and {node.attr, close[0]} != {close[0], f"{close[0]}s"} and f"{node.attr}s" != close[0]:
                _, end = module.span(node)
                edit = Edit(module.path, end - len(node.attr.encode()), end, close[0].encode())
                yield module.hit(node, f".{node.attr} is likely .{close[0]}", edit)


RULES: Final = (
    Rule(
        "mlserver-hint",
        Severity.WARNING,
        "it works here; MLServer matches hints by equality and ends with CodecNotFound at the import",
        "List[str] and Optional[...] of typing say the same to both",
        _hints,
    ),
    Rule(
        "mlserver-no-hint",
        Severity.ERROR,
        "@decode_args finds out by the hints how each input is decoded and the output encoded",
        "annotate every argument and the result, for example np.ndarray or List[str]",
        _unannotated,
    ),
    Rule(
        "mlserver-no-default",
        Severity.WARNING,
        "a request without that input is refused, for all that the hint says",
        "write = None behind the hint",
        _no_default,
    ),
    Rule(
        "mlserver-not-async",
        Severity.ERROR,
        "MLServer awaits load, predict and unload, and a plain value cannot be awaited",
        "async def",
        _not_async,
    ),
    Rule(
        "mlserver-load-returns",
        Severity.ERROR,
        "what load() returns is the model's readiness, and None is not ready",
        "end load() with return True",
        _load_returns,
    ),
    Rule(
        "mlserver-stream-settings",
        Severity.WARNING,
        "it works here; MLServer's workers and its compression each hold streams up or refuse them",
        'write settings.json with {"gzip_enabled": false, "parallel_workers": 0}',
        _stream_settings,
    ),
    Rule(
        "mlserver-attribute",
        Severity.ERROR,
        "AttributeError, when a request first gets to that line",
        "spell it as MLServer does",
        _misspelt,
    ),
)
