"""The layer `code`: the project itself, where pyproject.toml makes it a package. In the image, never cached.

It changes with nearly every build and takes a second, so a key would only be one more thing that can be wrong. It is
apart from `venv` so that a change of code moves kilobytes; folders that are no package are run from where they are.
"""

from pathlib import Path

from . import log
from .context import Context
from .layers import Layer
from .project import Project
from .uv import Uv


def contribute(context: Context, project: Project, uv: Uv) -> None:
    """Install the project without its dependencies, if it can be installed at all."""
    if not (project.installable and context.has("uv.lock")):
        return
    log.info("Installing the project itself")
    layer = Layer(context.layers, "code", launch=True)
    layer.clear()
    library = layer.path / "lib"
    uv.run(["pip", "install", "--no-deps", "--target", str(library), "."], source="pyproject.toml")
    (library / ".lock").unlink(missing_ok=True)
    if (library / "bin").is_dir():
        _move_scripts(library / "bin", layer.path / "bin", context.layers / "venv" / "bin" / "python")
    layer.launch_variable("PYTHONPATH", str(library), "prepend")
    layer.keep({})


def _move_scripts(written: Path, on_path: Path, python: Path) -> None:
    """Put the scripts where the launcher's PATH has them, and have them run by the Python that sees the dependencies.

    uv could write that first line itself only if `venv` were there, and a reused layer is not.
    """
    written.rename(on_path)
    for script in on_path.iterdir():
        first, _, rest = script.read_text(encoding="utf-8").partition("\n")
        if first.startswith("#!") and "python" in first:
            script.write_text(f"#!{python}\n{rest}", encoding="utf-8")
