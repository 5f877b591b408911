"""The layer `code`: the project itself, where pyproject.toml makes it a package. In the image, never cached.

It changes with nearly every build and takes a second, so a key would only be one more thing that can be wrong. It is
apart from `venv` so that a change of code moves kilobytes; folders that are no package are run from where they are.
"""

from . import library, log, sbom
from .context import Context
from .layers import Layer
from .project import Project
from .sources import LOCKFILE, PROJECT, Source
from .uv import Uv


def contribute(context: Context, project: Project, source: Source, uv: Uv) -> None:
    """Install the project without its dependencies, if it can be installed at all."""
    if not (project.installable and source.name in (LOCKFILE, PROJECT)):
        return
    log.info("Installing the project itself")
    layer = Layer(context.layers, "code", launch=True)
    layer.clear()
    installed = library.install(layer, ".", uv, source="pyproject.toml")
    layer.launch_variable("PYTHONPATH", str(installed), "prepend")
    sbom.write(context, layer, installed)
    layer.keep({})
