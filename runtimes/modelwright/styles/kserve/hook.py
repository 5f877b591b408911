"""The import hook that answers `import kserve` with the twins, and with the genuine package for what they lack."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from modelwright import author_metrics
from modelwright.styles.kserve.foreign import Foreign

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    # The import system asks for the methods only, and importlib.abc takes longer than the rest of this file.
    Loader = object

SWITCH = "MODELWRIGHT_KSERVE"
_TWINS = "modelwright.styles.kserve.twins"
_MESSAGES = frozenset({"ModelInferRequest", "ModelInferResponse", "InferTensorContents", "InferParameter"})


def install() -> bool:
    """Answer for kserve from now on, unless MODELWRIGHT_KSERVE=genuine; tells whether it does."""
    if os.environ.get(SWITCH, "").lower() == "genuine":
        return False
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
        author_metrics.watch(_workers)
    return True


def _workers() -> int:
    """Give how many workers the command line and the environment ask for; 1 where they are not the server's."""
    # For who measures with prometheus_client.
    import contextlib  # noqa: PLC0415
    import io  # noqa: PLC0415

    from modelwright.server import arguments  # noqa: PLC0415

    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return arguments.parse().workers
        except SystemExit:
            return 1


class Finder:
    """Finds kserve and everything in it: a twin, else the genuine module, else a word on what to do."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find one module; raises ImportError for a module of kserve's that is neither a twin nor installed."""
        if fullname.partition(".")[0] != "kserve":
            return None
        twin = importlib.util.find_spec(_twin(fullname)) if _twin_exists(fullname) else None
        if twin is not None:
            return importlib.machinery.ModuleSpec(
                fullname, Alias(), origin=twin.origin, is_package=twin.submodule_search_locations is not None
            )
        genuine = _genuine(fullname)
        if genuine is None and _root() is None:
            raise ImportError(
                f"{fullname} is not among the names of kserve that Modelwright's server brings; "
                "install the genuine package beside it: pip install kserve",
                name=fullname,
            )
        return genuine


class Alias(Loader):
    """Gives a twin the name of the module that it stands for."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Import the twin, which may have been imported under its own name before."""
        module = importlib.import_module(_twin(spec.name))
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is; give every twin that it imported its genuine name, and the genuine names."""
        module.__spec__ = self._own
        for name, twin in list(sys.modules.items()):
            if name == _TWINS or name.startswith(f"{_TWINS}."):
                fullname = "kserve" + name.removeprefix(_TWINS)
                sys.modules[fullname] = twin
                if not hasattr(twin, "__getattr__"):
                    setattr(twin, "__getattr__", _lender(fullname))  # noqa: B010 - mypy knows no such assignment


def _twin(fullname: str) -> str:
    return _TWINS + fullname.removeprefix("kserve")


def _twin_exists(fullname: str) -> bool:
    base = Path(__file__).parent.joinpath("twins", *fullname.split(".")[1:])
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


@cache
def _root() -> str | None:
    """Find the genuine package's folder, without importing it."""
    spec = importlib.machinery.PathFinder.find_spec("kserve")
    locations = spec.submodule_search_locations if spec else None
    return next(iter(locations), None) if locations else None


def _genuine(fullname: str) -> importlib.machinery.ModuleSpec | None:
    root = _root()
    if root is None:
        return None
    if fullname == "kserve":
        return importlib.machinery.PathFinder.find_spec("kserve")
    return importlib.machinery.PathFinder.find_spec(fullname, [str(Path(root, *fullname.split(".")[1:-1]))])


def _lender(fullname: str) -> Callable[[str], Any]:
    """Make a module's `__getattr__`, which looks a name up in the genuine module."""

    def lend(name: str) -> Foreign:
        if name in _MESSAGES:
            messages = importlib.import_module("kserve.protocol.grpc.grpc_predict_v2_pb2")
            return getattr(messages, name)
        if name.startswith("__") or _genuine(fullname) is None:
            raise AttributeError(f"module {fullname!r} has no attribute {name!r}")
        if fullname == "kserve":
            return _exported(name)
        return getattr(_executed(fullname), name)

    return lend


def _exported(name: str) -> Foreign:
    """Give a name of the genuine package's from the module that it is imported from there, and only from that one."""
    module = _exports().get(name)
    if module is None:
        raise AttributeError(f"module 'kserve' has no attribute {name!r}")
    return getattr(importlib.import_module(f"kserve.{module}"), name)


@cache
def _exports() -> dict[str, str]:
    # For the few that reach past the twins.
    import ast  # noqa: PLC0415

    tree = ast.parse(Path(_root() or "", "__init__.py").read_text(encoding="utf-8"))
    return {
        (alias.asname or alias.name): node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


@cache
def _executed(fullname: str) -> ModuleType:
    """Execute the genuine module beside its twin; what it imports of kserve are twins again."""
    spec = _genuine(fullname)
    if spec is None or spec.loader is None:
        raise AttributeError(f"module {fullname!r} is not in the installed kserve")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
