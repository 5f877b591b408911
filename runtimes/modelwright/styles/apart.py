"""The program of a model's own environment: `bootstrap.py` runs `main` there; see `modelwright.environments`."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.environments.keeper import Keeper

if TYPE_CHECKING:
    from modelwright.model import Model


def main(argv: Sequence[str]) -> None:
    """Keep a process that serves the model that `argv`, one JSON object, tells of; see `environments.process`."""
    told = json.loads(argv[0])
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    listening = socket.socket(fileno=told["listening"])

    def work(loaded: Callable[[], None]) -> int:
        # In the forked process only: the one that keeps it stays small, and fit to fork from.
        from modelwright.environments import child  # noqa: PLC0415

        return child.serve(lambda: _discovered(told), listening, loaded)

    Keeper(listening, told["lifetime"], work).run()


def _discovered(told: dict[str, Any]) -> Model:
    """Discover as the server would have; raises DiscoveryError unless there is one model, or one of that name."""
    from modelwright.styles import substitutes  # noqa: PLC0415
    from modelwright.styles.catalogue import DiscoveryError, Wanted, discovery  # noqa: PLC0415

    wanted = Wanted(Path(told["path"]), told["class_name"], told["model_name"])
    sys.path.insert(0, str(wanted.path if wanted.path.is_dir() else wanted.path.parent))
    substitutes.install()
    models = discovery(told["style"]).discover(wanted).models
    # A style may serve an author's class under further names; the one asked for is the whole of it.
    named = [model for model in models if model.name == wanted.model_name] or models
    if len(named) != 1:
        names = ", ".join(model.name for model in models)
        raise DiscoveryError(f"{wanted.path} has several models ({names}), and an environment runs one: name its class")
    return named[0]
