"""The build: what is asked for is read and checked first, then each layer is contributed by its own file."""

from . import (
    code_layer,
    interpreter,
    leftovers,
    log,
    processes,
    runtime_layer,
    server,
    server_layer,
    sources,
    uv_cache_layer,
    venv_layer,
)
from .context import Context
from .project import Project
from .uv import Uv


def run(context: Context) -> int:
    """Build the folder into layers and processes. Raises BuildpackError, with the remedy, where that is impossible."""
    leftovers.remove(context)
    project = Project.read(context)
    source = sources.find(context, project)
    started = processes.read(context)
    wanted = server.find(context, project)
    python = interpreter.select(context, project)

    log.header("Dependencies")
    cache = uv_cache_layer.prepare(context)
    uv = Uv.prepare(context, python, cache.path)
    venv_layer.contribute(context, python, source, wanted, uv)
    code_layer.contribute(context, project, uv)
    server_layer.contribute(context, python, wanted, uv)
    uv_cache_layer.keep(cache, uv)

    runtime_layer.contribute(context)
    processes.contribute(context, started)
    return 0
