"""Importing an author's class, each model's from its own folder although they may have the same names."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.mlserver.foreign import Foreign


class Importer:
    """Imports for models in several folders; a module of one is never given to another."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    def load(self, implementation: str, folder: Path, where: str) -> Foreign:
        """Return the class of a dotted path, its module looked for in `folder` first; `where` is for messages.

        Raises:
            DiscoveryError: there is no such module or class.
            Exception: whatever the author's code raises at import.

        """
        module_name, _, name = implementation.rpartition(".")
        if not module_name:
            raise DiscoveryError(
                f"{where}: implementation {implementation!r} must be MODULE.CLASS, as models.MyRuntime"
            )
        self._set_aside(folder, module_name.partition(".")[0])
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
                raise
            raise DiscoveryError(
                f"{where}: implementation {implementation!r}: there is no module {error.name!r} in {folder}, "
                "and none is installed"
            ) from None
        kind = getattr(module, name, None)
        if kind is None:
            there = ", ".join(_models(module)) or "none"
            raise DiscoveryError(f"{where}: module {module_name!r} has no class {name!r}; its MLModel classes: {there}")
        return kind

    def _set_aside(self, folder: Path, wanted: str) -> None:
        """Give what other models imported from their own folders names that say whose it is.

        So it is done with a module of the wanted name from anywhere else, where the folder has one of its own.
        """
        own = folder.resolve()
        here = (own / f"{wanted}.py").is_file() or (own / wanted).is_dir()
        for name, module in list(sys.modules.items()):
            owner = self._owner(module)
            if owner is None and here and name.partition(".")[0] == wanted and not _in(module, own):
                owner = Path("elsewhere")
            if owner is not None and owner != own and not name.startswith("mlserver_models."):
                sys.modules[f"mlserver_models.{owner.name}.{name}"] = sys.modules.pop(name)

    def _owner(self, module: ModuleType) -> Path | None:
        """Return the innermost model's folder that a module is in."""
        inside = [folder for folder in self._folders if _in(module, folder)]
        return max(inside, key=lambda folder: len(folder.parts), default=None)


def _in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.realpath(file).startswith(f"{folder}{os.sep}")


def _models(module: ModuleType) -> list[str]:
    return [name for name, kind in vars(module).items() if is_model(kind) and kind.__module__ == module.__name__]


def is_model(kind: object) -> bool:
    """Say whether something is an author's subclass of MLModel."""
    from mlserver import MLModel  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - the import hook's

    return isinstance(kind, type) and issubclass(kind, MLModel) and kind is not MLModel
