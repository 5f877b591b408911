"""The layer `venv`: the author's dependencies and the server's, made to agree. In the image, its content not cached.

While nothing it was made from has changed, only its metadata comes back and the lifecycle reuses the layer of the
previous image by its digest: neither restored nor packed again, whatever its size. When something has changed it is
made from nothing, which makes two builds of one tree equal; an environment that grew by updates is not.
"""

import platform
import tempfile
import tomllib
from pathlib import Path

from . import errors, log
from .context import Context
from .interpreter import Interpreter
from .layers import Layer, differences
from .server import Server
from .sources import Source
from .uv import Uv


def key(context: Context, interpreter: Interpreter, source: Source, server: Server | None, uv: Uv) -> dict[str, str]:
    """Everything the dependencies depend on."""
    release = platform.freedesktop_os_release()
    buildpack = tomllib.loads((context.buildpack / "buildpack.toml").read_text(encoding="utf-8"))
    return {
        "dependencies": source.digest,
        "source": source.name,
        "extras": " ".join(source.extras) or "none",
        "server": server.requirements_digest if server else "none",
        "python": interpreter.version,
        "base": f"{release['ID']} {release.get('VERSION_ID', '')} {platform.machine()}",
        "uv": uv.version(),
        "buildpack": buildpack["buildpack"]["version"],
    }


def contribute(context: Context, interpreter: Interpreter, source: Source, server: Server | None, uv: Uv) -> None:
    """Install the dependencies unless the layer of the previous image is still right."""
    layer = Layer(context.layers, "venv", launch=True)
    before, now = layer.metadata(), key(context, interpreter, source, server, uv)
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
    _install(layer, source, server, uv)
    layer.launch_variable("VIRTUAL_ENV", str(layer.path), "override")
    layer.keep(now)


def _install(layer: Layer, source: Source, server: Server | None, uv: Uv) -> None:
    uv.run(["venv", "--quiet", "--no-project", "--allow-existing", str(layer.path)], source="the environment")
    into = uv.having(UV_PYTHON=str(layer.path / "bin" / "python"))
    if source.name == "uv.lock":
        _install_locked(layer, source, uv)
        if server:
            _add_to_locked(source, server, into)
        return
    requirements = ["--requirement", source.name]
    if server is None:
        into.run(["pip", "install", *requirements], source=source.name)
    else:
        _together([*requirements, "--requirement", str(server.requirements)], requirements, source, server, into)


def _install_locked(layer: Layer, source: Source, uv: Uv) -> None:
    into = uv.having(UV_PROJECT_ENVIRONMENT=str(layer.path))
    # The project itself is the layer `code`: a change of it must leave this one alone.
    into.run(["sync", *_locked(source), "--no-install-project"], source=source.name)


def _add_to_locked(source: Source, server: Server, into: Uv) -> None:
    """Add what the lockfile lacks of the server's requirements, and change nothing that it has."""
    with tempfile.TemporaryDirectory() as folder:
        pins = str(Path(folder, "uv.lock.txt"))
        bare = ["--no-emit-project", "--no-emit-local", "--no-hashes", "--quiet", "--output-file", pins]
        into.run(["export", *_locked(source), *bare], source=source.name)
        added = ["--requirement", str(server.requirements), "--constraint", pins]
        _together(added, ["--requirement", pins], source, server, into)


def _locked(source: Source) -> list[str]:
    extras = [word for extra in source.extras for word in ("--extra", extra)]
    return ["--locked", "--no-default-groups", *extras]


def _together(both: list[str], alone: list[str], source: Source, server: Server, into: Uv) -> None:
    """Install the author's and the server's; say so where it is only the two together that cannot be had."""
    try:
        into.run(["pip", "install", *both], source=source.name)
    except errors.Unsatisfiable as error:
        if into.resolves(alone):
            wanted = server.requirements.read_text(encoding="utf-8").split("\n")
            raise errors.server_conflict(source.name, error.reason, wanted) from None
        raise
