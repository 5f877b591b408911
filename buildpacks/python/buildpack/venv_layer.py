"""The layer `venv`: the author's dependencies and the server's, made to agree. In the image, its content not cached.

While nothing it was made from has changed, only its metadata comes back and the lifecycle reuses the layer of the
previous image by its digest: neither restored nor packed again, whatever its size. When something has changed it is
made from nothing, which makes two builds of one tree equal; an environment that grew by updates is not.
"""

import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import bytecode, errors, log, records, sbom, shared_layer
from .context import Context
from .interpreter import Interpreter
from .layers import Layer, differences
from .server import Server
from .sources import PROJECT, Source
from .uv import Uv


def base(context: Context, interpreter: Interpreter, uv: Uv) -> dict[str, str]:
    """Everything that installed packages depend on beside their own versions."""
    release = platform.freedesktop_os_release()
    return {
        "python": interpreter.version,
        "base": f"{release['ID']} {release.get('VERSION_ID', '')} {platform.machine()}",
        "uv": uv.version(),
        "buildpack": context.version,
    }


def contribute(context: Context, interpreter: Interpreter, source: Source, server: Server | None, uv: Uv) -> None:
    """Install the dependencies unless the layer of the previous image is still right."""
    layer = Layer(context.layers, "venv", launch=True)
    made_with = base(context, interpreter, uv)
    before = layer.metadata()
    now = {
        "dependencies": source.digest,
        "source": source.name,
        "extras": " ".join(source.extras) or "none",
        "server": server.requirements_digest if server else "none",
        **made_with,
    }
    reasons = differences(before, now)
    if source.local:
        reasons.append(f"{source.name} installs code of this folder")
    if before and not reasons:
        log.info(f"Reusing the dependencies of the previous image: {source.name} is unchanged")
        shared_layer.reuse(context)
        layer.keep(now)
        return
    if before:
        log.info(f"Installing anew: {'; '.join(reasons)}")
    for note in source.notes:
        log.info(note)
    log.info(f"Installing from {source.name} with uv {made_with['uv']}")
    layer.clear()
    _install(layer, source, server, uv)
    packages = next((layer.path / "lib").glob("python3.*/site-packages"))
    records.forget_moments(packages)
    bytecode.leave_out_tests(packages)
    shared_layer.split(context, packages, made_with)
    sbom.write(context, layer, packages)
    layer.launch_variable("VIRTUAL_ENV", str(layer.path), "override")
    layer.keep(now)


def _install(layer: Layer, source: Source, server: Server | None, uv: Uv) -> None:
    uv.run(["venv", "--quiet", "--no-project", "--allow-existing", str(layer.path)], source="the environment")
    into = uv.having(UV_PYTHON=str(layer.path / "bin" / "python"))
    if source.locked:
        _install_locked(layer, source, uv)
        if server:
            _add_to_locked(source, server, into)
        return
    with _requirements(source) as requirements:
        if server is None:
            into.run(["pip", "install", *requirements], source=source.name)
        else:
            _together([*requirements, "--requirement", str(server.requirements)], requirements, source, server, into)


@contextmanager
def _requirements(source: Source) -> Iterator[list[str]]:
    """Give what uv is told to install; a conda file's part of it lies in a file for as long."""
    with tempfile.TemporaryDirectory() as folder:
        files = list(source.files)
        if source.lines:
            written = Path(folder, "conda.txt")
            written.write_text("".join(f"{line}\n" for line in source.lines), encoding="utf-8")
            files.append(str(written))
        # uv knows extras of a project only.
        extras = _extras(source) if source.name == PROJECT else []
        yield [*(word for file in files for word in ("--requirement", file)), *extras]


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
    return ["--locked", "--no-default-groups", *_extras(source)]


def _extras(source: Source) -> list[str]:
    return [word for extra in source.extras for word in ("--extra", extra)]


def _together(both: list[str], alone: list[str], source: Source, server: Server, into: Uv) -> None:
    """Install the author's and the server's; say so where it is only the two together that cannot be had."""
    try:
        into.run(["pip", "install", *both], source=source.name)
    except errors.Unsatisfiable as error:
        if into.resolves(alone):
            wanted = server.requirements.read_text(encoding="utf-8").split("\n")
            raise errors.server_conflict(source.name, error.reason, wanted) from None
        raise
