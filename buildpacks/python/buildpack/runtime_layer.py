"""The layer `runtime`: the variables of the running container. In the image, never cached: it is a handful of bytes.

A layer of its own, so that a new default reaches an image without moving its dependencies.
"""

import shutil

from .context import Context
from .layers import Layer

DEFAULTS = {
    # A log line must be in `kubectl logs` when it is written, not when a buffer is full.
    "PYTHONUNBUFFERED": "1",
    # The root file system is read-only; torch, matplotlib and the hub would otherwise fail on their caches.
    "XDG_CACHE_HOME": "/tmp/.cache",  # noqa: S108
    "XDG_CONFIG_HOME": "/tmp/.config",  # noqa: S108
    # Any UID: one without a passwd entry has no name, and getpass.getuser (torch's compiler cache) then raises.
    "LOGNAME": "cnb",
    "USER": "cnb",
}

SETTINGS = ("settings.json", "model-settings.json")
SCRIPTS = "exec.d"
"""The buildpack's folder of what the launcher runs before a process, in the order of the names."""


def contribute(context: Context) -> None:
    """Write the variables, and the scripts for those that are known only where the container runs."""
    layer = Layer(context.layers, "runtime", launch=True)
    layer.clear()
    for name, value in DEFAULTS.items():
        layer.launch_variable(name, value, "default")
    # So that console scripts (`uvicorn model:app`) find the folder's modules as `python -m` does.
    layer.launch_variable("PYTHONPATH", str(context.app), "append")
    if any(context.has(name) for name in SETTINGS):
        # What MLServer's own images do with these files: the environment and mounted models win over them.
        layer.launch_variable("MODELWRIGHT_DEFAULT_SETTINGS", str(context.app), "default")
    shutil.copytree(context.buildpack / SCRIPTS, layer.path / SCRIPTS)
    layer.keep({})
