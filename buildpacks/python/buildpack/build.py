"""The build: what is asked for is read and checked first, then each layer is contributed by its own file."""

from . import (
    code_layer,
    interpreter,
    labels,
    leftovers,
    links,
    log,
    processes,
    revision,
    runtime_layer,
    server,
    server_layer,
    sources,
    uv_cache_layer,
    venv_layer,
    weights,
)
from .context import Context
from .project import Project
from .uv import Uv


def run(context: Context) -> int:
    """Build the folder into layers and processes. Raises BuildpackError, with the remedy, where that is impossible."""
    links.check(context)
    commit = revision.read(context)
    leftovers.remove(context)
    project = Project.read(context)
    source = sources.find(context, project)
    wanted = server.find(context, project)
    started = processes.read(context, wanted)
    weights.leave_out(context)
    python = interpreter.select(context, project, source)

    log.header("Dependencies")
    cache = uv_cache_layer.prepare(context)
    uv = Uv.prepare(context, python, cache.path)
    venv_layer.contribute(context, python, source, wanted, uv)
    code_layer.contribute(context, project, source, uv)
    server_layer.contribute(context, python, wanted, uv)
    uv_cache_layer.keep(cache, uv)

    runtime_layer.contribute(context)
    processes.contribute(context, started, labels.of(context, project, started.style, python, wanted, commit))
    return 0
