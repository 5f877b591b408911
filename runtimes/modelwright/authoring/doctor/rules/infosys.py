"""Traps of Infosys' Model Inference Library: the suffix, the section, the keys."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from modelwright.authoring.doctor.findings import Hit, Rule, Severity
from modelwright.authoring.doctor.module import Function, Module, assigned_to_self, methods, text_of
from modelwright.authoring.doctor.project import Project
from modelwright.styles.infosys.config import FILE
from modelwright.styles.infosys.fields import ANSWER, REQUEST

_PACKAGES: Final = ("modelloader",)
_SUFFIX: Final = "ModelLoader"
_DRIVER: Final = "predict_request"


def _loaders(project: Project) -> Iterator[tuple[Module, ast.ClassDef]]:
    for module in project.modules:
        for kind in module.subclasses(_PACKAGES, "BaseModelLoader"):
            yield module, kind


def _suffix(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        if not kind.name.endswith(_SUFFIX):
            yield module.hit(kind, f"class {kind.name} does not end in {_SUFFIX}")


def _no_config(project: Project) -> Iterator[Hit]:
    if list(project.settings(FILE)):
        return
    for module, kind in _loaders(project):
        for node in ast.walk(kind):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "config":
                yield module.hit(node, f"{kind.name} reads the configuration, and there is no {FILE}")
                break


def _section(project: Project) -> Iterator[Hit]:
    for setting in project.settings(FILE):
        executor = setting.value.get("ModelExecutor")
        chosen = executor.get("model_name") if isinstance(executor, dict) else None
        if isinstance(chosen, str) and chosen and chosen not in setting.value:
            line = setting.line("model_name")
            yield Hit(setting.path, line, f"ModelExecutor.model_name is {chosen!r}, and there is no section {chosen!r}")


def _loader_file(project: Project) -> Iterator[Hit]:
    for setting in project.settings(FILE):
        executor, loader = setting.value.get("ModelExecutor"), setting.value.get("ModelLoader")
        named = executor.get("model_loader_file") if isinstance(executor, dict) else None
        if not isinstance(named, str) or named in ("", "default"):
            continue
        location = str(loader.get("file_location") or ".") if isinstance(loader, dict) else "."
        file = setting.path.parent / location / f"{named.removesuffix('.py')}.py"
        if not file.is_file():
            yield Hit(
                setting.path, setting.line("model_loader_file"), f"model_loader_file {named!r} is not in {location!r}"
            )
            continue
        kind = loader.get("class_name") if isinstance(loader, dict) else None
        there = [each.name for module in project.modules if module.path.resolve() == file.resolve()
                 for each in ast.walk(module.tree) if isinstance(each, ast.ClassDef)]  # fmt: skip
        if isinstance(kind, str) and kind and there and kind not in there:
            what = f"class_name {kind!r} is not in {file.name}, which has {', '.join(there)}"
            yield Hit(setting.path, setting.line("class_name"), what)


def _constructor(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        constructor = methods(kind).get("__init__")
        if constructor is None:
            yield module.hit(kind, f"{kind.name} has no __init__(self, config, model_name)")
        elif len(constructor.args.args) != 3 and constructor.args.vararg is None:
            yield module.hit(constructor, f"{kind.name}.__init__ does not take (self, config, model_name)")


def _model_object(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        own = methods(kind)
        if not {"predict", _DRIVER} & own.keys() and not any(name == "model_obj" for name, _ in assigned_to_self(kind)):
            yield module.hit(kind, f"{kind.name} inherits predict, which calls self.model_obj, and does not set it")


def _never_called(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        for name in ("preprocessing", "postprocessing"):
            method = methods(kind).get(name)
            if method is not None and f"self.{name}(" not in ast.unparse(kind):
                yield module.hit(method, f"{kind.name}.{name} is never called")


def _request_keys(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        driver = methods(kind).get(_DRIVER)
        if driver is None or len(driver.args.args) < 2:
            continue
        request = driver.args.args[1].arg
        for node in ast.walk(driver):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) == request
            ):
                key = text_of(node.slice)
                if key is not None and key not in REQUEST:
                    yield module.hit(node, f"{_DRIVER} reads {key!r}, which is no field of the library's requests")


def _answer_keys(project: Project) -> Iterator[Hit]:
    for module, kind in _loaders(project):
        driver = methods(kind).get(_DRIVER)
        for node in ast.walk(driver) if driver else ():
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict) and _spelt_out(node.value):
                there = {text_of(key) for key in node.value.keys}
                missing = [name for name in ANSWER if name not in there]
                if missing and driver is not None and not _super(driver):
                    yield module.hit(node, f"{_DRIVER} answers without {', '.join(missing)}")


def _spelt_out(value: ast.Dict) -> bool:
    return all(key is not None and text_of(key) is not None for key in value.keys)


def _super(driver: Function) -> bool:
    return f"super().{_DRIVER}" in ast.unparse(driver)


RULES: Final = (
    Rule(
        "imil-suffix",
        Severity.ERROR,
        "the library finds loaders by the suffix, and does not find this one",
        f"end the class's name in {_SUFFIX}, in {FILE} too",
        _suffix,
    ),
    Rule(
        "imil-no-config",
        Severity.ERROR,
        "the constructor ends in a KeyError, and the pod with it",
        f"write {FILE} with ModelExecutor, ModelLoader, FastAPI and a section for the loader",
        _no_config,
    ),
    Rule(
        "imil-section",
        Severity.ERROR,
        "config[model_name] is a KeyError in the constructor",
        "add the section, named as ModelExecutor.model_name says",
        _section,
    ),
    Rule(
        "imil-loader-file",
        Severity.ERROR,
        "the library cannot import the loader",
        "model_loader_file is a file's name without .py, class_name a class in it, file_location their folder",
        _loader_file,
    ),
    Rule(
        "imil-constructor",
        Severity.ERROR,
        "the base class's constructor is abstract, and the library calls it with the configuration and a name",
        "def __init__(self, config, model_name)",
        _constructor,
    ),
    Rule(
        "imil-model-obj",
        Severity.ERROR,
        "the first request fails: None has no executeModel",
        "set self.model_obj in __init__, an object with executeModel(base64, threshold), or define predict",
        _model_object,
    ),
    Rule(
        "imil-never-called",
        Severity.WARNING,
        "the base class calls neither preprocessing nor postprocessing",
        "call it from predict",
        _never_called,
    ),
    Rule(
        "imil-request-keys",
        Severity.ERROR,
        "a request that the library lets through has no such key: KeyError",
        f"read one of {', '.join(REQUEST)}, or use .get()",
        _request_keys,
    ),
    Rule(
        "imil-answer-keys",
        Severity.WARNING,
        "the library's endpoint answers these 17 fields, and its callers read them",
        "answer all of them, as the base class's predict_request does",
        _answer_keys,
    ),
)
