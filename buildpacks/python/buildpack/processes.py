"""launch.toml: the processes of the image, `web` the one it starts by itself."""

from . import log, procfile, toml
from .context import Context


def read(context: Context) -> dict[str, str]:
    """Read the Procfile. Called before anything is installed, so that a typing error costs no download."""
    processes = procfile.parse(context.text("Procfile") or "")
    procfile.require_default(processes)
    return processes


def contribute(context: Context, processes: dict[str, str]) -> None:
    """Write the processes for the launcher and list them in the log."""
    log.header("Processes")
    tables: list[toml.Table] = []
    for name, line in processes.items():
        default = name == procfile.DEFAULT
        tables.append({"type": name, "command": procfile.argv(name, line), "default": default})
        log.info(f"{name}{' (default)' if default else ''}: {line}")
    (context.layers / "launch.toml").write_text(toml.tables("processes", tables), encoding="utf-8")
