"""`python -m modelwright.cli.direct module:Class`: one model class, served without an entry point of its own."""

from __future__ import annotations

import importlib
import inspect
import sys

from modelwright.cli.errors import CommandError


def start(target: str) -> None:
    """Make an instance of the class, named by --model_name, and serve it until SIGTERM.

    Raises CommandError where there is no such module or class; what the author's code raises is the author's to see.
    """
    module, _, name = target.partition(":")
    try:
        kind = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0] and error.name != module:
            raise
        raise CommandError(f"there is no module '{module}' here: run in its folder, or set PYTHONPATH") from error
    if not isinstance(kind, type):
        raise CommandError(f"module '{module}' has no class '{name}'")
    # The twin's or the genuine one's, as the hook in this process decides.
    server = importlib.import_module("kserve.model_server")
    takes_name = bool(inspect.signature(kind).parameters)
    model = kind(server.args.model_name) if takes_name else kind()
    server.ModelServer().start([model])


if __name__ == "__main__":
    try:
        start(sys.argv.pop(1))
    except CommandError as error:
        sys.stderr.write(f"modelwright: {error}\n")
        sys.exit(2)
