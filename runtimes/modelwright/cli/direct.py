"""`python -m modelwright.cli.direct MODULE:Class[,Class]`: kserve model classes, served without an entry point.

MODULE is a module's name, or a Python file's path.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from modelwright.cli.errors import CommandError


def start(target: str) -> None:
    """Make an instance of each class and serve them until SIGTERM; --model_name names the only one of them.

    Raises CommandError where there is no such module or class; what the author's code raises is the author's to see.
    """
    where, _, names = target.rpartition(":")
    module = _imported(where)
    kinds = [_class(module, where, name) for name in names.split(",")]
    # The twin's or the genuine one's, as the hook in this process decides.
    server = importlib.import_module("kserve.model_server")
    alone = len(kinds) == 1
    models = [_instance(kind, server.args.model_name if alone else kind.__name__) for kind in kinds]
    server.ModelServer().start(models)


def _imported(where: str) -> ModuleType:
    path = Path(where)
    if path.suffix == ".py":
        # As Python does for a script: the author's own modules are found beside it.
        sys.path.insert(0, str(path.parent))
        where = path.stem
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name not in {where.partition(".")[0], where}:
            raise
        raise CommandError(f"there is no module '{where}' here: run in its folder, or set PYTHONPATH") from error


def _class(module: ModuleType, where: str, name: str) -> type[Any]:
    kind = getattr(module, name, None)
    if not isinstance(kind, type):
        raise CommandError(f"module '{where}' has no class '{name}'")
    return kind


def _instance(kind: type[Any], name: str) -> object:
    return kind(name) if inspect.signature(kind).parameters else kind()


if __name__ == "__main__":
    try:
        start(sys.argv.pop(1))
    except CommandError as error:
        sys.stderr.write(f"modelwright: {error}\n")
        sys.exit(2)
