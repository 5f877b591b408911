"""Finding specs: by serve.yaml, as variables of a file, or by the name of a class."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from modelwright.model import Model
from modelwright.styles.catalogue import Discovered, DiscoveryError, Wanted
from modelwright.styles.detect import sources
from modelwright.styles.nos import own_environment, packages, serve_yaml
from modelwright.styles.nos.adapter import Instance, NosModel
from modelwright.styles.nos.endpoint import Endpoint
from modelwright.styles.nos.serve_yaml import FILE

_SPEC = "ModelSpec"


def discover(wanted: Wanted) -> Discovered:
    """Make models of the class that was named, else of those in serve.yaml, else of each ModelSpec in the files.

    Raises:
        DiscoveryError: there is none, or one cannot be served as it is written.

    """
    path = wanted.path / FILE if wanted.path.is_dir() else wanted.path
    if path.suffix in (".yaml", ".yml") and path.is_file() and not wanted.class_name:
        entries = serve_yaml.read(path)
        replicas = max(entry.replicas for entry in entries)
        here, apart = _parted(wanted, {entry.id: (entry, entry.packages) for entry in entries})
        specs = [_of_entry(entry) for entry in here]
    else:
        replicas = 1
        specs, apart = _parted(wanted, {spec.id: (spec, packages.of(spec.runtime_env)) for spec in _of_files(wanted)})
    models = [*_models(specs, wanted.model_name), *apart]
    return Discovered(models, {"workers": replicas} if replicas > 1 else {})


def _parted(wanted: Wanted, found: Mapping[str, tuple[Any, Sequence[str]]]) -> tuple[list[Any], list[Model]]:
    """Give those that run in this interpreter, and the models of those whose packages it does not have."""
    chosen = own_environment.wanted_here([each for each, _ in found.values()], wanted.model_name)
    if wanted.model_name and len(chosen) > 1:
        names = ", ".join(found)
        raise DiscoveryError(f"--model_name is for one model; {wanted.path} has {names}: name one as PATH:CLASS")
    here, apart = [], []
    for each in chosen:
        name = own_environment.name_of(each, wanted.model_name)
        model = own_environment.model(wanted, name, found[each.id][1], alone=len(chosen) == 1)
        if model is None:
            here.append(each)
        else:
            apart.append(model)
    return here, apart


def _models(specs: Sequence[Any], name: str | None) -> list[NosModel]:
    """Make a model of each spec, and one of each of its methods; the first brings NOS's endpoint for all."""
    endpoint = Endpoint()
    models: list[NosModel] = []
    whole: list[NosModel] = []
    for spec in specs:
        try:
            instance = Instance(spec, own_environment.name_of(spec, name))
        except ValueError as error:
            raise DiscoveryError(f"{error}: a method whose name begins with no underscore is what is served") from None
        whole.append(NosModel(instance, routes=() if whole else endpoint.routes))
        models += [whole[-1], *(NosModel(instance, each) for each in instance.methods if not each.startswith("_"))]
    endpoint.models = whole
    return models


def _of_entry(entry: serve_yaml.Entry) -> Any:  # noqa: ANN401 - the genuine library's ModelSpec as well as ours
    kind = _class(_import(entry.file), entry.class_name, entry.file)
    return _spec(
        kind,
        init_args=entry.init_args,
        init_kwargs=dict(entry.init_kwargs),
        model_id=entry.id,
        **({"method": entry.default_method} if entry.default_method else {}),
    )


def _of_files(wanted: Wanted) -> Iterator[Any]:
    """Import the files that make specs and yield those; of a name, the spec or the class that has it."""
    modules = [_import(each.path) for each in sources(wanted.path) if wanted.path.is_file() or _holds(each.calls)]
    name = wanted.class_name
    if name is not None:
        found = next((vars(module)[name] for module in modules if name in vars(module)), None)
        if found is None:
            raise DiscoveryError(f"{wanted.path} has no {name!r}")
        yield found if _is_spec(found) else _spec(found)
        return
    specs = {id(value): value for module in modules for value in vars(module).values() if _is_spec(value)}.values()
    by_id = {spec.id: spec for spec in specs}
    if not specs:
        classes = ", ".join(kind.__name__ for module in modules for kind in _own(module))
        raise DiscoveryError(
            f"{wanted.path} has no ModelSpec at the top of a file: write spec = ModelSpec.from_cls(YourClass), or name "
            f"the class as PATH:CLASS with --style nos (classes here: {classes or 'none'})"
        )
    if len(by_id) < len(specs):
        raise DiscoveryError(f"{wanted.path} has several specs of one id; give each a model_id of its own")
    yield from by_id.values()


def _import(file: Path) -> ModuleType:
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    try:
        return _loaded(file)
    except NameError as error:
        if error.name == "manager":
            raise DiscoveryError(
                f"{file} uses `manager` and makes none: write `from nos.manager import manager`, or "
                "`manager = ModelManager()` (NOS's document leaves that line out)"
            ) from error
        raise


def _loaded(file: Path) -> ModuleType:
    there = sys.modules.get(file.stem)
    if there is None or Path(getattr(there, "__file__", None) or "") == file:
        return importlib.import_module(file.stem)
    # Two models of one serve.yaml may each be in a model.py of a folder of its own.
    name = f"{file.parent.name}_{file.stem}"
    found = importlib.util.spec_from_file_location(name, file)
    assert found is not None and found.loader is not None, "it ends in .py"  # noqa: S101
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _spec(kind: Any, **how: Any) -> Any:  # noqa: ANN401 - the author's class
    if not inspect.isclass(kind):
        raise DiscoveryError(f"{kind!r} is neither a class nor a ModelSpec")
    spec_type = importlib.import_module("nos.common").ModelSpec
    try:
        return spec_type.from_cls(kind, **how)
    except ValueError as error:
        raise DiscoveryError(f"{kind.__name__}: {error}") from None


def _class(module: ModuleType, name: str, file: Path) -> Any:  # noqa: ANN401 - the author's class
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        there = ", ".join(kind.__name__ for kind in _own(module)) or "none"
        raise DiscoveryError(f"{file} has no class {name!r}, which serve.yaml names; it has {there}")
    return found


def _own(module: ModuleType) -> Iterator[type[Any]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__:
            yield kind


def _holds(calls: frozenset[str]) -> bool:
    return any(_SPEC in called.split(".") for called in calls)


def _is_spec(value: object) -> bool:
    # Of the genuine library, which is not imported here, or of ours.
    return type(value).__name__ == _SPEC and hasattr(value, "default_signature")
