"""Traps of KServe's generations, 0.10 to 0.21."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from modelwright.authoring.doctor.findings import Edit, Hit, Rule, Severity
from modelwright.authoring.doctor.module import Function, Module, assigned_to_self, methods, within
from modelwright.authoring.doctor.project import Project
from modelwright.authoring.doctor.rules.code import BLOCKING

_PACKAGE: Final = ("kserve",)
_HANDLERS: Final = frozenset(("preprocess", "predict", "postprocess", "explain"))
_PREDICTOR: Final = frozenset(("predictor_host", "protocol", "use_ssl"))


def _models(project: Project) -> Iterator[tuple[Module, ast.ClassDef]]:
    for module in project.modules:
        for kind in module.subclasses(_PACKAGE, "Model"):
            yield module, kind


def _not_ready(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        load = methods(kind).get("load")
        told = any(name == "ready" and not _is_false(node) for name, node in assigned_to_self(kind))
        if load is None or told or "super().load()" in ast.unparse(load):
            continue
        yield module.hit(load, f"{kind.name}.load() never sets self.ready", *_setting_ready(module, load))


def _is_false(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and not node.value.value


def _setting_ready(module: Module, load: Function) -> tuple[Edit, ...]:
    last = load.body[-1]
    if any(isinstance(each, ast.Return) and each is not last for each in ast.walk(load)) or last.lineno == load.lineno:
        return ()
    if isinstance(last, ast.Return):
        return (module.line_before(last, "self.ready = True"),)
    return (module.line_after(last, "self.ready = True"),)


def _start_dict(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for node in module.nodes:
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "start"):
                continue
            server = node.func.value
            if isinstance(server, ast.Call) and module.dotted(server.func).endswith("ModelServer"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Dict):
                    yield module.hit(node, "ModelServer().start({...}) was for Ray Serve and is gone since KServe 0.14")


def _predictor_host(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        constructor = methods(kind).get("__init__")
        for name, node in assigned_to_self(constructor) if constructor else ():
            if name in _PREDICTOR:
                yield module.hit(node, f"self.{name} = ... has no effect since KServe 0.12")


def _predictor_config(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        for node in ast.walk(kind):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
                second = node.args[1] if len(node.args) > 1 else None
                named = [each.value for each in node.keywords if each.arg == "predictor_config"]
                if named or (second is not None and "config" in ast.unparse(second).lower()):
                    yield module.hit(node, "Model(name, predictor_config) is gone since KServe 0.16")


def _removed(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for node in module.nodes:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if source.partition(".")[0] == "kfserving" or "kfserving" in names:
                yield module.hit(node, "kfserving is kserve since 0.7, KFModel is Model and KFServer is ModelServer")
            elif source == "kserve.storage" or (source == "kserve" and "Storage" in names):
                edits: tuple[Edit, ...] = ()
                if source == "kserve.storage" and names == ["Storage"] and isinstance(node, ast.ImportFrom):
                    start, end = module.span(node)
                    text = module.raw[start:end].replace(b"kserve.storage", b"kserve_storage", 1)
                    edits = (Edit(module.path, start, end, text),)
                yield module.hit(node, "Storage left kserve in 0.16", *edits)


def _no_entry(project: Project) -> Iterator[Hit]:
    for line in project.lines("Procfile") or []:
        found = re.match(r"web:\s*python3?\s+-m\s+(?P<module>\w+)\s*$", line)
        for module in project.modules:
            if found is None or module.path != project.folder / f"{found['module']}.py":
                continue
            starts = any(called.endswith((".start", "serve.run")) or ".start" in ast.unparse(node.func)
                         for called, node in module.calls())  # fmt: skip
            if not starts:
                yield Hit(module.path, 1, f"'{line.strip()}' runs this file, and it starts no ModelServer")


def _holds_up(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        for name, method in methods(kind).items():
            if name not in _HANDLERS or isinstance(method, ast.AsyncFunctionDef):
                continue
            for node in within(method):
                if isinstance(node, ast.Call) and module.dotted(node.func) in BLOCKING:
                    yield module.hit(node, f"{kind.name}.{name} calls {module.dotted(node.func)}")


def _old_call(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        method = methods(kind).get("__call__")
        if method and "model_type" in [each.arg for each in (*method.args.args, *method.args.kwonlyargs)]:
            yield module.hit(method, f"{kind.name}.__call__ takes model_type, which is verb since KServe 0.12")


RULES: Final = (
    Rule(
        "kserve-not-ready",
        Severity.ERROR,
        "KServe serves only models whose self.ready is true; this one never becomes ready, and the pod never either",
        "set self.ready = True at the end of load()",
        _not_ready,
    ),
    Rule(
        "kserve-start-dict",
        Severity.WARNING,
        "it works here; KServe's own server refuses it: Unknown model collection type",
        "start([AlexNetModel(name)]), with --workers or Ray's RayModel for more processes",
        _start_dict,
    ),
    Rule(
        "kserve-predictor-host",
        Severity.WARNING,
        "it works here; on KServe the transformer then has no predictor to call",
        "pass --predictor_host and --predictor_protocol, which the transformer's ModelServer reads",
        _predictor_host,
    ),
    Rule(
        "kserve-predictor-config",
        Severity.WARNING,
        "it works here; on KServe it is an unexpected argument, and the pod ends at its start",
        "super().__init__(name), and ModelServer(predictor_config=...)",
        _predictor_config,
    ),
    Rule(
        "kserve-removed-name",
        Severity.ERROR,
        "the import fails at the pod's start",
        "from kserve_storage import Storage (with kserve-storage in requirements.txt), or import kserve",
        _removed,
    ),
    Rule(
        "kserve-holds-up",
        Severity.WARNING,
        "it works here, in a thread; KServe's server calls it on its event loop, and probes wait",
        "async def with what awaits, or asyncio.to_thread, where KServe's own server is to run it",
        _holds_up,
    ),
    Rule(
        "kserve-old-call",
        Severity.ERROR,
        "the server does not pass it, so it is always its default",
        "def __call__(self, body, headers=None, verb=InferenceVerb.PREDICT)",
        _old_call,
    ),
    Rule(
        "kserve-no-entry",
        Severity.ERROR,
        "the process ends at once, and the pod restarts for ever",
        "end the file with: if __name__ == '__main__': ModelServer().start([YourModel('name')])",
        _no_entry,
    ),
)
