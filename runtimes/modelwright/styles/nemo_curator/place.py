"""Where weights are on this machine: a folder of the weights' name below one root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Ours, and cosmos-curate's own, which names the folder that holds its workspace.
ROOT: Final = "MODELWRIGHT_WEIGHTS_DIR"
WORKSPACE: Final = "COSMOS_CURATE_LOCAL_WORKSPACE_PREFIX"
_WORKSPACE_MODELS: Final = Path("cosmos_curate_local_workspace", "models")
# Where Curator's containers have them, and where an InferenceService mounts them.
CONTAINER: Final = Path("/config/models")
MOUNT: Final = Path("/mnt/models")


def root(environ: Mapping[str, str] = os.environ, container: Path = CONTAINER) -> Path:
    """Give the folder below which weights are.

    MODELWRIGHT_WEIGHTS_DIR, else cosmos-curate's workspace, else Curator's /config/models where that exists, else the
    user's cache, else (with a read-only home, as in a pod) a folder among the temporary ones.
    """
    if environ.get(ROOT):
        return Path(environ[ROOT]).expanduser().absolute()
    if environ.get(WORKSPACE):
        return Path(environ[WORKSPACE]).expanduser().absolute() / _WORKSPACE_MODELS
    if container.is_dir():
        return container
    cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "/") / ".cache")
    if _writable(cache):
        return cache / "modelwright" / "weights"
    return last_resort()


def last_resort() -> Path:
    """Give a folder of this user's among the temporary files, where others may have made one of its name."""
    return Path(tempfile.gettempdir()) / f"modelwright-weights-{os.getuid()}"


def folder(weights_name: str) -> Path:
    """Give the folder of the weights called so, whether or not they are there yet; a path stands for itself."""
    return Path(weights_name) if is_path(weights_name) else root() / weights_name


def is_path(weights_name: str) -> bool:
    """Tell a path from a name: authors of the second generation may give either as a model's id."""
    return weights_name.startswith(("/", "./", "../"))


def _writable(path: Path) -> bool:
    there = next(each for each in (path, *path.parents) if each.exists())
    return os.access(there, os.W_OK | os.X_OK)
