"""Traps of NeMo Curator's model classes, three generations of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

from modelwright.authoring.doctor.findings import Edit, Hit, Rule, Severity
from modelwright.authoring.doctor.module import Function, Module, methods, text_of
from modelwright.authoring.doctor.project import Project
from modelwright.styles.nemo_curator.pod import GPU, resources

_PACKAGES: Final = ("nemo_curator", "cosmos_curate")
# What must be there, by how the base class's dotted name begins; the first that fits.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "nemo_curator.video": ("weights_names", "id_file_mapping", "conda_env_name", "setup"),
    "cosmos_curate": ("model_id_names", "conda_env_name", "setup"),
    "nemo_curator": ("model_id_names", "setup"),
}
_MANIFEST: Final = "isvc.yaml"
# In block or flow style of YAML.
_LIMIT: Final = re.compile(r"""^[^#]*nvidia\.com/gpu["']?\s*:\s*["']?(\d+)""")
_PROPERTIES: Final = ("weights_names", "id_file_mapping", "conda_env_name", "num_gpus")


def _models(project: Project) -> Iterator[tuple[Module, ast.ClassDef]]:
    for module in project.modules:
        for kind in module.subclasses(_PACKAGES, "ModelInterface"):
            yield module, kind


def _constants(module: Module) -> dict[str, str]:
    """Map the file's top-level names to the texts that they stand for."""
    return {
        target.id: value
        for node in module.tree.body
        if isinstance(node, ast.Assign) and (value := text_of(node.value)) is not None
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _returned(method: Function | None) -> ast.expr | None:
    """Give what a method returns, where it does nothing else."""
    statements = (
        [each for each in method.body if not (isinstance(each, ast.Expr) and text_of(each.value))] if method else []
    )
    only = statements[0] if len(statements) == 1 else None
    return only.value if isinstance(only, ast.Return) else None


def _resolved(node: ast.expr | None, constants: Mapping[str, str]) -> str | None:
    return constants.get(node.id) if isinstance(node, ast.Name) else text_of(node)


def _guard(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        constants = _constants(module)
        kinds = list(module.subclasses(_PACKAGES, "ModelInterface"))
        named = {_resolved(_returned(methods(kind).get("conda_env_name")), constants) for kind in kinds} - {None}
        for called, node in module.calls():
            guard = _resolved(node.args[0], constants) if node.args else None
            if not called.endswith("is_running_in_env") or guard is None or not named:
                continue
            # Cosmos writes its environments with the pipeline's name before them.
            if guard.rpartition(":")[2] not in named:
                wanted = " or ".join(sorted(map(repr, named)))
                literal = text_of(node.args[0]) is not None and len(named) == 1
                edits = (module.replace(node.args[0], _quoted(module, node.args[0], str(*named))),) if literal else ()
                yield module.hit(node, f"the guard is for {guard!r}, and conda_env_name is {wanted}", *edits)


def _quoted(module: Module, node: ast.expr, text: str) -> str:
    quote = module.text(node)[0]
    return f"{quote}{text}{quote}" if quote in "\"'" else repr(text)


def _weights(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        constants, own = _constants(module), methods(kind)
        listed = _returned(own.get("weights_names"))
        mapped = _returned(own.get("id_file_mapping"))
        if not isinstance(listed, ast.List | ast.Tuple) or not isinstance(mapped, ast.Dict):
            continue
        names = {_resolved(each, constants) or ast.unparse(each) for each in listed.elts}
        keys = {_resolved(each, constants) or ast.unparse(each) for each in mapped.keys if each is not None}
        if names != keys:
            told = ", ".join(sorted(names ^ keys))
            yield module.hit(own["id_file_mapping"], f"{kind.name}: weights_names and id_file_mapping differ by {told}")


def _abstract(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        if len(kind.bases) > 1:
            continue
        base = module.dotted(kind.bases[0])
        needed = next(names for package, names in _NEEDED.items() if base.startswith(package))
        there = set(methods(kind)) | {
            target.id for each in kind.body if isinstance(each, ast.Assign) for target in each.targets
            if isinstance(target, ast.Name)
        }  # fmt: skip
        missing = [name for name in needed if name not in there]
        if missing:
            yield module.hit(kind, f"{kind.name} lacks {', '.join(missing)}")


def _not_property(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        for name in _PROPERTIES:
            method = methods(kind).get(name)
            if method is not None and not method.decorator_list:
                edit: Edit = module.line_before(method, "@property")
                yield module.hit(method, f"{kind.name}.{name} is no property", edit)


def _constructor(project: Project) -> Iterator[Hit]:
    for module, kind in _models(project):
        constructor = methods(kind).get("__init__")
        for node in ast.walk(constructor) if constructor else ():
            if isinstance(node, ast.Call) and module.dotted(node.func).endswith(
                ("get_local_dir_for_weights_name", ".from_pretrained")
            ):
                yield module.hit(node, f"{kind.name}.__init__ reads weights")


def _hub(project: Project) -> Iterator[Hit]:
    for module in project.modules:
        if not list(module.subclasses(_PACKAGES, "ModelInterface")):
            continue
        constants = _constants(module)
        for called, node in module.calls():
            name = _resolved(node.args[0], constants) if node.args else None
            if called.endswith(".from_pretrained") and name is not None and not name.startswith((".", "/")):
                yield module.hit(node, f"from_pretrained({name!r}) asks the hub")


def _gpus(project: Project) -> Iterator[Hit]:
    path = project.folder / _MANIFEST
    lines = project.lines(_MANIFEST)
    if lines is None:
        return
    given = [int(found[1]) for line in lines if (found := _LIMIT.match(line))]
    for module, kind in _models(project):
        gpus = _num_gpus(module, kind)
        wanted = resources(gpus)
        if gpus <= max(given, default=0) or not wanted.limits:
            continue
        said = f"{kind.name}.num_gpus is {gpus:g}, and resources.limits has {max(given, default=0)} {GPU}"
        note = f" ({wanted.note})" if wanted.note else ""
        number = next((index for index, line in enumerate(lines, 1) if "limits:" in line), 1)
        yield Hit(path, number, f'{said}: write {GPU}: "{wanted.limits[GPU]}" there{note}')


def _num_gpus(module: Module, kind: ast.ClassDef) -> float:
    """Give what the class says, where it is a number; the first generation's base class says 1, the others nothing."""
    method = methods(kind).get("num_gpus")
    value = _returned(method)
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        return float(value.value)
    first = any(module.dotted(base).startswith("nemo_curator.video") for base in kind.bases)
    return 1.0 if method is None and first else 0.0


RULES: Final = (
    Rule(
        "curator-gpus",
        Severity.WARNING,
        "Kubernetes gives a container the GPUs that its limits name, and no other",
        "write the line, or return 0.0 from num_gpus where the model runs without a GPU",
        _gpus,
    ),
    Rule(
        "curator-guard",
        Severity.ERROR,
        "in the model's own environment the guarded imports are left out, and setup() fails with a NameError",
        "give the guard and conda_env_name the same name",
        _guard,
    ),
    Rule(
        "curator-weights",
        Severity.ERROR,
        "what is in one and not in the other is not fetched before setup()",
        "name the same weights in both; None as the files means all of them",
        _weights,
    ),
    Rule(
        "curator-abstract",
        Severity.ERROR,
        "the class cannot be instantiated: Can't instantiate abstract class",
        "define them; what each is for stands in Curator's ModelInterface",
        _abstract,
    ),
    Rule(
        "curator-not-property",
        Severity.ERROR,
        "whoever reads it gets a method where a value is expected",
        "put @property above it",
        _not_property,
    ),
    Rule(
        "curator-constructor",
        Severity.ERROR,
        "weights are there only before setup(), and the constructor also runs where there are none",
        "load them in setup()",
        _constructor,
    ),
    Rule(
        "curator-hub",
        Severity.WARNING,
        "every pod downloads the weights at its start, or fails without a way to the internet",
        "from_pretrained(model_utils.get_local_dir_for_weights_name(NAME))",
        _hub,
    ),
)
