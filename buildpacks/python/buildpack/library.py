"""A package in a layer of its own, beside its dependencies in `venv`."""

from pathlib import Path

from . import records
from .layers import Layer
from .uv import Uv


def install(layer: Layer, package: str, uv: Uv, *, source: str) -> Path:
    """Install `package`, a path, without its dependencies; return the folder that belongs on PYTHONPATH."""
    library = layer.path / "lib"
    uv.run(["pip", "install", "--quiet", "--no-deps", "--target", str(library), package], source=source)
    (library / ".lock").unlink(missing_ok=True)
    records.forget_moments(library)
    if (library / "bin").is_dir():
        _move_scripts(library / "bin", layer.path / "bin", layer.root / "venv" / "bin" / "python")
    return library


def _move_scripts(written: Path, on_path: Path, python: Path) -> None:
    """Put the scripts where the launcher's PATH has them, and have them run by the Python that sees the dependencies.

    uv could write that first line itself only if `venv` were there, and a reused layer is not.
    """
    written.rename(on_path)
    for script in on_path.iterdir():
        first, _, rest = script.read_text(encoding="utf-8").partition("\n")
        if first.startswith("#!") and "python" in first:
            script.write_text(f"#!{python}\n{rest}", encoding="utf-8")
