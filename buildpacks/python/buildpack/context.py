"""What the lifecycle tells a buildpack, read once from its arguments and variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import dangerous_environment

# Each of these makes uv or the interpreter work somewhere other than where this buildpack looks.
DANGEROUS = {
    "PYTHONHOME": "It points the interpreter at another standard library.",
    "UV_PROJECT": "It makes uv read another project than the one being built.",
    "UV_PROJECT_ENVIRONMENT": "It makes uv install outside the layer that is exported.",
    "UV_CACHE_DIR": "The cache must lie on the layers' file system.",
}


@dataclass(frozen=True)
class Context:
    """The folders and the environment of one phase of one build."""

    app: Path
    layers: Path
    buildpack: Path
    environment: Mapping[str, str]

    @classmethod
    def read(cls, phase: str, positional: Sequence[str], environment: Mapping[str, str]) -> "Context":
        """Read the context of `phase`. The positional forms are those of lifecycles that pass no CNB_* variable."""
        for name, why in DANGEROUS.items():
            if name in environment:
                raise dangerous_environment(name, why)
        layers = environment.get("CNB_LAYERS_DIR") or (positional[0] if phase == "build" and positional else "/layers")
        buildpack = environment.get("CNB_BUILDPACK_DIR") or str(Path(__file__).resolve().parent.parent)
        return cls(Path.cwd(), Path(layers), Path(buildpack), dict(environment))

    @property
    def version(self) -> str:
        """This buildpack's own version."""
        # Detection does without it.
        import tomllib  # noqa: PLC0415

        described = tomllib.loads((self.buildpack / "buildpack.toml").read_text(encoding="utf-8"))
        return str(described["buildpack"]["version"])

    def has(self, name: str) -> bool:
        """Whether the application's folder has a file of that name at its top."""
        return (self.app / name).is_file()

    def text(self, name: str) -> str | None:
        """Return the content of a top-level file, or None where there is none."""
        return (self.app / name).read_text(encoding="utf-8-sig") if self.has(name) else None
