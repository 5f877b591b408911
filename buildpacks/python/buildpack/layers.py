"""A layer of the Buildpack API: its folder, its types, and the metadata that says next time what it was made from."""

import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import toml


@dataclass(frozen=True)
class Layer:
    """One layer of this buildpack. `launch`: in the image. `cache`: its content is there again at the next build."""

    root: Path
    name: str
    launch: bool = False
    cache: bool = False

    @property
    def path(self) -> Path:
        """The layer's folder."""
        return self.root / self.name

    @property
    def _descriptor(self) -> Path:
        return self.root / f"{self.name}.toml"

    def metadata(self) -> dict[str, str]:
        """Return what the layer of the previous image was made from; empty where there is none."""
        if not self._descriptor.is_file():
            return {}
        content = tomllib.loads(self._descriptor.read_text(encoding="utf-8"))
        return {key: str(value) for key, value in content.get("metadata", {}).items()}

    def keep(self, metadata: Mapping[str, str]) -> None:
        """Declare the layer. The lifecycle drops `types` before every build, so this is what keeps a layer at all."""
        types = {"launch": self.launch, "build": False, "cache": self.cache}
        text = toml.table("types", types) + "\n" + toml.table("metadata", metadata)
        self._descriptor.write_text(text, encoding="utf-8")

    def clear(self) -> None:
        """Start from an empty folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def launch_variable(self, name: str, value: str, action: str) -> None:
        """Set a variable of the running container; `action` is the API's: default, override, prepend, append."""
        folder = self.path / "env.launch"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.{action}").write_text(value, encoding="utf-8")
        if action in ("prepend", "append"):
            (folder / f"{name}.delim").write_text(":", encoding="utf-8")


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name everything that makes a layer stale: all reasons, not the first, because a reader wants to know them all."""
    reasons = []
    for key, value in now.items():
        old = before.get(key, "nothing")
        if old == value:
            continue
        # A hash says no more to a reader than that it changed.
        readable = max(len(old), len(value)) < 40
        reasons.append(f"{key} changed from {old} to {value}" if readable else f"{key} changed")
    return reasons
