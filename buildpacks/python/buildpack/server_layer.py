"""The layer `server`: Modelwright's server and the hook by which the author's own command starts it. Not cached.

It is apart from `venv`, where its dependencies are, so that a new server moves kilobytes; and kept by the digest of its
wheel, so that an unchanged one moves nothing.
"""

from pathlib import PurePosixPath

from . import library, log, sbom
from .context import Context
from .interpreter import Interpreter
from .layers import Layer
from .server import Server
from .uv import Uv

SITE = PurePosixPath("modelwright/styles/kserve/site")
"""The folder in the wheel whose sitecustomize.py is the hook; `modelwright run` puts the same on PYTHONPATH."""


def contribute(context: Context, interpreter: Interpreter, server: Server | None, uv: Uv) -> None:
    """Install the server without its dependencies, unless the previous image has this one."""
    if server is None:
        return
    log.header("Model server")
    layer = Layer(context.layers, "server", launch=True)
    server = server.for_python(interpreter.version)
    now = {"wheel": server.wheel_digest, "python": interpreter.version, "buildpack": context.version}
    if layer.metadata() == now:
        log.info(f"Reusing modelwright {server.version} of the previous image")
    else:
        log.info(f"Installing modelwright {server.version}, which answers for kserve unless MODELWRIGHT_KSERVE=genuine")
        layer.clear()
        installed = library.install(layer, str(server.wheel), uv, source="Modelwright's server")
        sbom.write(context, layer, installed)
        layer.launch_variable("PYTHONPATH", f"{installed / SITE}:{installed}", "prepend")
    layer.keep(now)
