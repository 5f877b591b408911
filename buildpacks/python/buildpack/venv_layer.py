"""The layer `venv`: the dependencies. In the image, its content not cached.

While nothing it was made from has changed, only its metadata comes back and the lifecycle reuses the layer of the
previous image by its digest: neither restored nor packed again, whatever its size. When something has changed it is
made from nothing, which makes two builds of one tree equal; an environment that grew by updates is not.
"""

import platform
import tomllib

from . import log
from .context import Context
from .interpreter import Interpreter
from .layers import Layer, differences
from .sources import Source
from .uv import Uv


def key(context: Context, interpreter: Interpreter, source: Source, uv: Uv) -> dict[str, str]:
    """Everything the dependencies depend on."""
    release = platform.freedesktop_os_release()
    buildpack = tomllib.loads((context.buildpack / "buildpack.toml").read_text(encoding="utf-8"))
    return {
        "dependencies": source.digest,
        "source": source.name,
        "extras": " ".join(source.extras) or "none",
        "python": interpreter.version,
        "base": f"{release['ID']} {release.get('VERSION_ID', '')} {platform.machine()}",
        "uv": uv.version(),
        "buildpack": buildpack["buildpack"]["version"],
    }


def contribute(context: Context, interpreter: Interpreter, source: Source, uv: Uv) -> None:
    """Install the dependencies unless the layer of the previous image is still right."""
    layer = Layer(context.layers, "venv", launch=True)
    before, now = layer.metadata(), key(context, interpreter, source, uv)
    reasons = differences(before, now)
    if source.local:
        reasons.append(f"{source.name} installs code of this folder")
    if before and not reasons:
        log.info(f"Reusing the dependencies of the previous image: {source.name} is unchanged")
        layer.keep(now)
        return
    if before:
        log.info(f"Installing anew: {'; '.join(reasons)}")
    log.info(f"Installing from {source.name} with uv {now['uv']}")
    layer.clear()
    _install(layer, source, uv)
    layer.launch_variable("VIRTUAL_ENV", str(layer.path), "override")
    layer.keep(now)


def _install(layer: Layer, source: Source, uv: Uv) -> None:
    uv.run(["venv", "--quiet", "--no-project", "--allow-existing", str(layer.path)], source="the environment")
    if source.name == "uv.lock":
        extras = [word for extra in source.extras for word in ("--extra", extra)]
        into = uv.having(UV_PROJECT_ENVIRONMENT=str(layer.path))
        # The project itself is the layer `code`: a change of it must leave this one alone.
        into.run(["sync", "--locked", "--no-default-groups", "--no-install-project", *extras], source=source.name)
    else:
        into = uv.having(UV_PYTHON=str(layer.path / "bin" / "python"))
        into.run(["pip", "install", "--requirement", source.name], source=source.name)
