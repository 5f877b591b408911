"""An image's own settings are defaults, as `mlserver build` has them: environment and mounted models win over them.

Source: https://docs.seldon.ai/mlserver/user-guide/custom#default-settings
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modelwright.styles.mlserver.library.environment import environment

# What the buildpack sets: the folder whose files are the image's.
VARIABLE: Final = "MODELWRIGHT_DEFAULT_SETTINGS"
MOUNT: Final = Path("/mnt/models")
# What tells one model from another, so that no default is of use.
_OF_ONE: Final = frozenset(("name", "model"))


def weaker(document: Mapping[str, Any], folder: Path, prefix: str) -> dict[str, Any]:
    """Leave out what the environment says, where a file is the image's; `prefix` is of the variables' names."""
    if not _of_image(folder):
        return dict(document)
    given = environment()
    kept = {name: value for name, value in document.items() if f"{prefix}{name.upper()}" not in given}
    if f"{prefix}NAME" in given:
        kept.pop("model", None)
    if isinstance(kept.get("parameters"), dict):
        kept["parameters"] = weaker(kept["parameters"], folder, prefix)
    return kept


def mounted(folder: Path) -> Path | None:
    """Give the folder of mounted models, where `folder` is the image's and there is one."""
    return MOUNT if _of_image(folder) and MOUNT.is_dir() else None


def under(document: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the image's settings under those of a mounted model."""
    parameters = {name: value for name, value in (defaults.get("parameters") or {}).items() if name != "uri"}
    whole = {**{name: value for name, value in defaults.items() if name not in _OF_ONE}, **document}
    whole["parameters"] = {**parameters, **(document.get("parameters") or {})}
    return whole


def _of_image(folder: Path) -> bool:
    named = os.environ.get(VARIABLE)
    return bool(named) and folder.resolve() == Path(named or "").resolve()
