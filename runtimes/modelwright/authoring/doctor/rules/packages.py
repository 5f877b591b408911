"""requirements.txt against what the code imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from modelwright.authoring.doctor.findings import Hit, Rule, Severity
from modelwright.authoring.doctor.module import Module
from modelwright.authoring.doctor.project import Project

FILE: Final = "requirements.txt"
_OTHERS: Final = ("pyproject.toml", "uv.lock", "environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
# Where the name to install is not the name to import.
_NAMES: Final[Mapping[str, str]] = {
    "PIL": "pillow", "cv2": "opencv-python", "sklearn": "scikit-learn", "skimage": "scikit-image", "yaml": "pyyaml",
    "bs4": "beautifulsoup4", "dotenv": "python-dotenv", "google": "google-cloud-storage", "attr": "attrs",
    "dateutil": "python-dateutil", "jwt": "pyjwt", "serve": "ray", "grpc": "grpcio", "magic": "python-magic",
}  # fmt: skip
# Distributions under several names.
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "grpcio": ("kserve", "mlserver"),
    "tensorflow": ("tensorflow-cpu", "tf-nightly"),
    "onnxruntime": ("onnxruntime-gpu",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
}
# What brings a package along; pinning it oneself is still better.
_BROUGHT: Final[Mapping[str, frozenset[str]]] = {
    "numpy": frozenset(("pandas", "scipy", "scikit-learn", "kserve", "mlserver", "torchvision", "transformers",
                        "opencv-python", "opencv-python-headless", "onnxruntime", "xgboost", "lightgbm", "tensorflow")),
    "torch": frozenset(("torchvision", "torchaudio", "open-clip-torch", "timm", "sentence-transformers")),
    "pillow": frozenset(("torchvision", "sentence-transformers", "scikit-image", "matplotlib", "ultralytics")),
    "pydantic": frozenset(("fastapi", "kserve", "mlserver")),
    "fastapi": frozenset(("kserve", "mlserver")),
    "pandas": frozenset(("kserve", "mlserver")),
    "scipy": frozenset(("scikit-learn", "xgboost", "lightgbm", "scikit-image")),
    "joblib": frozenset(("scikit-learn",)),
    "tokenizers": frozenset(("transformers",)),
    "ray": frozenset(("kserve",)),
    "pyyaml": frozenset(("transformers", "kserve", "huggingface-hub")),
    "huggingface-hub": frozenset(("transformers", "diffusers", "timm", "sentence-transformers")),
}  # fmt: skip
# The server answers for these, and has numpy itself; in an image they need not be installed.
_OURS: Final = frozenset(
    ("kserve", "mlserver", "nos", "nemo_curator", "cosmos_curate", "modelloader", "milapi", "milutils", "modelwright")
)
_REQUIREMENT: Final = re.compile(r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<rest>[^#;]*)")
_EXACT: Final = re.compile(r"===?\s*[^*,\s]+$|@\s*\S+$")


def _missing_file(project: Project) -> Iterator[Hit]:
    if project.lines(FILE) is None and not any((project.folder / name).is_file() for name in _OTHERS):
        needed = sorted({distribution for distribution, _, _ in _imported(project)})
        if needed:
            yield Hit(project.folder / FILE, 1, f"there is none, and the code imports {', '.join(needed)}")


def _unpinned(project: Project) -> Iterator[Hit]:
    for number, name, rest in _required(project):
        if not _EXACT.search(rest.strip()):
            yield Hit(project.folder / FILE, number, f"{name} is not pinned to one version ({name}{rest.strip()})")


def _unnamed(project: Project) -> Iterator[Hit]:
    yield from _lacking(project, brought=False)


def _brought(project: Project) -> Iterator[Hit]:
    yield from _lacking(project, brought=True)


def _lacking(project: Project, *, brought: bool) -> Iterator[Hit]:
    lines = project.lines(FILE)
    if lines is None or _elsewhere(project, lines):
        return
    named = {_normal(name) for _, name, _ in _required(project)}
    for distribution, module, node in _imported(project):
        if named & {distribution, *_ALSO.get(distribution, ())}:
            continue
        by = sorted(named & _BROUGHT.get(distribution, frozenset()))
        if brought and by:
            yield module.hit(node, f"{distribution} is imported and not in {FILE}; {by[0]} brings some version of it")
        elif not brought and not by:
            yield module.hit(node, f"{distribution} is imported and not in {FILE}")


def _elsewhere(project: Project, lines: list[str]) -> bool:
    """Tell whether packages are named in another place too: a further file, or an environment of a model's own."""
    own = any(
        isinstance(parameters := each.value.get("parameters"), dict)
        and {"environment_tarball", "environment_path"} & parameters.keys()
        for each in project.settings("model-settings.json")
    )
    runtime = any("RuntimeEnv" in ast.dump(module.tree) for module in project.modules)
    further = any(re.match(r"\s*-(r|e|c)|\s*--(requirement|constraint|editable)", line) for line in lines)
    return own or runtime or further or any((project.folder / name).is_file() for name in _OTHERS)


def _required(project: Project) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(project.lines(FILE) or [], start=1):
        match = _REQUIREMENT.match(line)
        if match and not line.lstrip().startswith(("#", "-")):
            yield number, match["name"], match["rest"]


def _imported(project: Project) -> Iterator[tuple[str, Module, ast.AST]]:
    """Yield each distribution that the code needs, once, with where it is imported first."""
    seen: set[str] = set()
    for module in project.served:
        guarded = _guarded(module)
        for node in module.nodes:
            for top in [] if node in guarded else _tops(node):
                own = top in project.own_modules or top in sys.stdlib_module_names or top in _OURS
                distribution = _normal(_NAMES.get(top, top))
                if not own and distribution not in seen:
                    seen.add(distribution)
                    yield distribution, module, node


def _tops(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


def _guarded(module: Module) -> set[ast.AST]:
    """Give the imports that are allowed to fail: in a try, or for another environment or type checkers only."""
    guarded: set[ast.AST] = set()
    for node in module.nodes:
        excused = isinstance(node, ast.Try) and bool(node.handlers)
        if isinstance(node, ast.If):
            test = ast.unparse(node.test)
            excused = "TYPE_CHECKING" in test or "is_running_in_env" in test
        if excused:
            guarded.update(ast.walk(node))
    return guarded


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


RULES: Final = (
    Rule(
        "requirements-missing",
        Severity.ERROR,
        "an image gets what the file names and nothing else, so the first import fails in the pod",
        f"write {FILE} with a pinned version of each (pip freeze tells them)",
        _missing_file,
    ),
    Rule(
        "requirements-unpinned",
        Severity.WARNING,
        "the next build may install another version than the one that was tried",
        "write name==version",
        _unpinned,
    ),
    Rule(
        "requirements-lack",
        Severity.ERROR,
        "the import fails in the pod, at its start",
        f"add it to {FILE}, pinned",
        _unnamed,
    ),
    Rule(
        "requirements-indirect",
        Severity.WARNING,
        "which version that is, is not yours to say, and it may come no longer",
        f"add it to {FILE}, pinned",
        _brought,
    ),
)
