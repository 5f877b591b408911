"""launch.toml: the processes of the image, `web` the one it starts by itself, and the image's labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import log, procfile, style, toml
from .context import Context
from .errors import nothing_serves
from .server import Server
from .style import Style


@dataclass(frozen=True)
class Processes:
    """Each process type's line, and why it is that where no Procfile says it."""

    lines: Mapping[str, str]
    style: Style | None
    reason: str = ""


def read(context: Context, server: Server | None) -> Processes:
    """Read the Procfile, or tell the style. Called before anything is installed: a typing error costs no download."""
    text = context.text("Procfile")
    if text is not None:
        lines = procfile.parse(text)
        procfile.require_default(lines)
        return Processes(lines, style.find(context))
    if server is None:
        raise nothing_serves()
    chosen = style.choose(context)
    # The style is named, so that the container's start does not look for it again.
    line = f"modelwright serve . --style {chosen.name}"
    return Processes({procfile.DEFAULT: line}, chosen, f"No Procfile: {chosen.name} style, since {chosen.told_by}")


def contribute(context: Context, processes: Processes, labels: Mapping[str, str]) -> None:
    """Write processes and labels for the lifecycle and list them in the log."""
    log.header("Processes")
    if processes.reason:
        log.info(processes.reason)
    tables: list[toml.Table] = []
    for name, line in processes.lines.items():
        default = name == procfile.DEFAULT
        tables.append({"type": name, "command": procfile.argv(name, line), "default": default})
        log.info(f"{name}{' (default)' if default else ''}: {line}")
    log.header("Labels")
    for key, value in labels.items():
        log.info(f"{key}={value}")
    written = toml.tables("labels", [{"key": key, "value": value} for key, value in labels.items()])
    text = toml.tables("processes", tables) + "\n" + written
    (context.layers / "launch.toml").write_text(text, encoding="utf-8")
