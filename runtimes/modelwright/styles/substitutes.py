"""The import hook for a style's library that is not installed: ours answers under its name.

The genuine library comes first. (kserve's twins are another matter, see `styles.kserve.hook`: they stand before it.)
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

# Top-level names, and the packages of ours that answer for them, module by module.
LIBRARIES: Final[Mapping[str, str]] = {
    "mlserver": "modelwright.styles.mlserver.library",
    "nos": "modelwright.styles.nos.library",
    "nemo_curator": "modelwright.styles.nemo_curator.library",
    "cosmos_curate": "modelwright.styles.nemo_curator.cosmos",
    "cosmos_curator": "modelwright.styles.nemo_curator.cosmos",
    "modelloader": "modelwright.styles.infosys.modelloader",
    "milapi": "modelwright.styles.infosys.milapi",
    "milutils": "modelwright.styles.infosys.milutils",
}


def install() -> None:
    """Answer for absent libraries from now on; calling it again changes nothing."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        # First, since our packages' folders would let the path finder make second copies of their modules.
        sys.meta_path.insert(0, Finder())


class Finder:
    """Finds a module of ours where the library is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the spec of our module; None where the library is genuine or not ours to give, or has no such module."""
        top, _, rest = fullname.partition(".")
        if top not in LIBRARIES or not (_given(top) if rest else _absent(top)):
            return None
        ours = f"{LIBRARIES[top]}.{rest}" if rest else LIBRARIES[top]
        try:
            found = importlib.util.find_spec(ours)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return None
        package = found.submodule_search_locations is not None
        loader: Any = Alias(ours)
        return ModuleSpec(fullname, loader, origin=found.origin, is_package=package)


def _given(top: str) -> bool:
    return getattr(sys.modules.get(top), "__name__", None) == LIBRARIES[top]


def _absent(top: str) -> bool:
    found = PathFinder.find_spec(top)
    # A folder without __init__.py is somebody's folder and no library.
    return found is None or found.loader is None


class Alias:
    """Gives one of our modules a second name, so that its classes are the same ones under both."""

    def __init__(self, ours: str) -> None:
        self._ours = ours

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import our module."""
        module = importlib.import_module(self._ours)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is: it ran under its own name."""
        module.__spec__ = self._own
