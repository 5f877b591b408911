"""Traps in model-settings.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from modelwright.authoring.doctor.findings import Edit, Hit, Rule, Severity
from modelwright.authoring.doctor.project import Project, Setting

_FILE: Final = "model-settings.json"


def _not_json(project: Project) -> Iterator[Hit]:
    for setting in (*project.settings(_FILE), *project.settings("settings.json")):
        if not setting.value and setting.raw.strip() != b"{}":
            yield Hit(setting.path, 1, "it is no JSON object")


def _model_key(project: Project) -> Iterator[Hit]:
    for setting in project.settings(_FILE):
        keys = list(re.finditer(rb'"model"(?=\s*:)', setting.raw))
        if "model" in setting.value and "name" not in setting.value:
            edits = (Edit(setting.path, *keys[0].span(), b'"name"'),) if len(keys) == 1 else ()
            yield Hit(setting.path, setting.line("model"), 'the model\'s name is under "model"', edits)


def _implementation(project: Project) -> Iterator[Hit]:
    for setting in project.settings(_FILE):
        named = setting.value.get("implementation")
        if not isinstance(named, str) or named.startswith("mlserver"):
            continue
        module, _, kind = named.rpartition(".")
        source = setting.path.parent.joinpath(*module.split(".")).with_suffix(".py")
        if not module or not (source.is_file() or source.with_suffix("").is_dir()):
            if module.partition(".")[0] not in project.own_modules | {""}:
                continue
            yield Hit(setting.path, setting.line("implementation"), f"{named!r}: there is no {source.name} beside it")
        elif source.is_file() and not re.search(rf"(?m)^\s*class {re.escape(kind)}\b|\bimport\b.*\b{re.escape(kind)}\b",
                                                source.read_text(encoding="utf-8", errors="replace")):  # fmt: skip
            yield Hit(setting.path, setting.line("implementation"), f"{named!r}: {source.name} has no class {kind}")


def _environment(project: Project) -> Iterator[Hit]:
    for setting in project.settings(_FILE):
        parameters = _object(setting.value.get("parameters"))
        for key in ("environment_tarball", "environment_path"):
            named = parameters.get(key)
            if isinstance(named, str) and not _there(setting, named):
                yield Hit(setting.path, setting.line(key), f"{key} names {named}, which is not there")


def _environment_workers(project: Project) -> Iterator[Hit]:
    own = [each for each in project.settings(_FILE) if "environment_tarball" in _object(each.value.get("parameters"))]
    for setting in project.settings("settings.json"):
        if own and setting.value.get("parallel_workers") == 0:
            what = "parallel_workers is 0, and a model brings an environment of its own"
            yield Hit(setting.path, setting.line("parallel_workers"), what)


def _there(setting: Setting, named: str) -> bool:
    return Path(named).is_absolute() or (setting.path.parent / named).exists()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


RULES: Final = (
    Rule(
        "mlserver-settings-json", Severity.ERROR, "nothing in it can be read", "mend it, e.g. with json.tool", _not_json
    ),
    Rule(
        "mlserver-model-key",
        Severity.ERROR,
        "MLServer has no such field and refuses the file for want of a name",
        'write "name"',
        _model_key,
    ),
    Rule(
        "mlserver-implementation",
        Severity.ERROR,
        "the model's class cannot be imported",
        'name it as "module.Class", the module being a file beside model-settings.json',
        _implementation,
    ),
    Rule(
        "mlserver-environment",
        Severity.ERROR,
        "the model's environment cannot be made",
        "name a tarball or a folder relative to model-settings.json",
        _environment,
    ),
    Rule(
        "mlserver-environment-workers",
        Severity.WARNING,
        "it works here; MLServer loads environments only in its parallel workers",
        "leave parallel_workers out, or set it to 1",
        _environment_workers,
    ),
)
