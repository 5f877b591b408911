"""Traps in Python that every style shares: names that nobody defines, calls that hold up the server, unsafe loads."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from typing import Final

from modelwright.authoring.doctor.findings import Hit, Rule, Severity
from modelwright.authoring.doctor.module import Module, within
from modelwright.authoring.doctor.project import Project

# Names that the styles' own documents use without importing them.
_IMPORTS: Final[Mapping[str, str]] = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "ray": "import ray",
    "torch": "import torch",
    "generate_uuid": "from kserve.utils.utils import generate_uuid",
    "Parameters": "from mlserver.types import Parameters",
    **{name: f"from typing import {name}" for name in ("Any", "Dict", "List", "Optional", "Tuple", "Union")},
}
_GIVEN: Final = frozenset(dir(builtins)) | {"__file__", "__path__", "__builtins__", "__class__", "__annotations__"}
BLOCKING: Final = frozenset(
    ("time.sleep", "urllib.request.urlopen", "subprocess.run", "subprocess.check_output", "subprocess.check_call",
     *(f"requests.{verb}" for verb in ("get", "post", "put", "delete", "request")), "httpx.get", "httpx.post")
)  # fmt: skip
_PICKLES: Final = frozenset(("pickle.load", "pickle.loads", "joblib.load", "dill.load", "cloudpickle.load"))


def _undefined(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        if any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in module.nodes):
            continue
        known = _GIVEN | _bound(module)
        told: set[str] = set()
        for node in module.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in known | told:
                told.add(node.id)
                statement = _IMPORTS.get(node.id)
                edits = (module.importing(statement),) if statement else ()
                yield module.hit(node, f"{node.id} is used and nowhere defined or imported", *edits)


def _bound(module: Module) -> set[str]:
    """Give every name that is bound in any scope of the file: more than Python would find, never less."""
    bound = set(module.names)
    for node in module.nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.arg(arg=name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                bound.update(names)
            case ast.ImportFrom(names=aliases):
                bound.update(alias.asname or alias.name for alias in aliases)
            case _ if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
                bound.add(getattr(node, "name", ""))
    return bound


def _blocking(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for function in module.nodes:
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            for node in within(function):
                if isinstance(node, ast.Call) and module.dotted(node.func) in BLOCKING:
                    called = module.dotted(node.func)
                    yield module.hit(node, f"async {function.name} calls {called}, which holds up the event loop")


def _unsafe(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for called, node in module.calls():
            keywords = {each.arg: each.value for each in node.keywords}
            safe = keywords.get("weights_only")
            if called == "torch.load" and not (isinstance(safe, ast.Constant) and safe.value is True):
                yield module.hit(node, "torch.load without weights_only=True runs what the file says")
            elif called in _PICKLES:
                yield module.hit(node, f"{called} runs what the file says")


def _downloads(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        for called, node in module.calls():
            keywords = {each.arg: each.value for each in node.keywords}
            pretrained = keywords.get("pretrained")
            wanted = isinstance(pretrained, ast.Constant) and pretrained.value is True
            weights = called.startswith("torchvision.models.") and "weights" in keywords
            given = weights and not (
                isinstance(keywords["weights"], ast.Constant) and keywords["weights"].value is None
            )
            if wanted or given or called == "torch.hub.load":
                yield module.hit(node, f"{called} downloads weights when it runs")


RULES: Final = (
    Rule(
        "undefined-name",
        Severity.ERROR,
        "Python finds out when the line runs, which for a handler is the first request",
        "import or define it; --fix adds the import where there is only one that it can be",
        _undefined,
    ),
    Rule(
        "blocking-in-async",
        Severity.ERROR,
        "while it runs no other request and no health probe is answered, and Kubernetes restarts the pod",
        "make the handler a plain def, which the server runs in a thread, or use asyncio.to_thread",
        _blocking,
    ),
    Rule(
        "unsafe-load",
        Severity.WARNING,
        "whoever can write the weights can then run code in the pod",
        "keep tensors: safetensors, npz or ONNX, or torch.load(..., weights_only=True)",
        _unsafe,
    ),
    Rule(
        "download-at-start",
        Severity.WARNING,
        "every pod downloads them at its start, or fails without a way to the internet",
        "save them once, name their place as storageUri, and load /mnt/models",
        _downloads,
    ),
)
