"""The layer `runtime`: the variables of the running container. In the image, never cached: it is a handful of bytes.

A layer of its own, so that a new default reaches an image without moving its dependencies.
"""

from pathlib import Path

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

# The container runtime always sets HOME, so no default of ours could: it is replaced only when it cannot be written to.
HOME_SCRIPT = """#!/bin/sh
if [ ! -w "${HOME:-/}" ]; then printf 'HOME = "%s"\\n' "${TMPDIR:-/tmp}" >&3; fi
"""


def contribute(context: Context) -> None:
    """Write the variables and the script that the launcher runs before the process."""
    layer = Layer(context.layers, "runtime", launch=True)
    layer.clear()
    for name, value in DEFAULTS.items():
        layer.launch_variable(name, value, "default")
    # So that console scripts (`uvicorn model:app`) find the folder's modules as `python -m` does.
    layer.launch_variable("PYTHONPATH", str(context.app), "append")
    _executable(layer.path / "exec.d" / "home", HOME_SCRIPT)
    layer.keep({})


def _executable(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755)
