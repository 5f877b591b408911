"""`modelwright join`: this container's CPUs and GPUs for the replicas of a server in another pod."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli import process
from modelwright.cli.errors import CommandError

if TYPE_CHECKING:
    # argparse gives its sub-parser action no public name.
    from argparse import _SubParsersAction

_PORT = 8080


def add_parser(verbs: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `join` to the verbs."""
    parser = verbs.add_parser(
        "join",
        help="be a node of the Ray that a server in another pod heads",
        description="Joins the Ray whose head is at RAY_ADDRESS, and joins again when the two have parted. On SIGTERM "
        "it stays until the head is gone, which may need it to finish its requests; on a second one, or Ctrl-C, it "
        "leaves. A container of predictor.workerSpec runs this unless it has a command of its own. GET on --http_port "
        "answers 200 once this node has joined and the server at MODELWRIGHT_HEAD_URL, if set, has been ready.",
    )
    parser.add_argument("--http_port", type=int, default=_PORT, metavar="PORT", help=f"readiness; {_PORT} by default")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    """Be a node until SIGTERM; raises CommandError where there is no address, no Ray, or the port is taken."""
    if rest:
        raise CommandError(f"join has no {rest[0]}: see modelwright join --help")
    address = os.environ.get("RAY_ADDRESS", "")
    if not address.rpartition(":")[2].isdecimal():
        raise CommandError("join needs the head's address: set RAY_ADDRESS, for example to my-model-head:6379")
    if importlib.util.find_spec("ray") is None:
        raise CommandError("join needs Ray, which is not installed: add ray, or modelwright[ray], to the requirements")
    from modelwright.scale import node, readiness  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # As the server's own processes have it: what is pickled there may name modules of the hooks or of this folder.
    member = node.Node(address, node.environment(process.hooked(os.environ, Path.cwd())))
    served = readiness.HeadServes(os.environ.get("MODELWRIGHT_HEAD_URL"))
    # In a rollout both pods are told to end at one time, and the server finishes its requests first.
    signal.signal(signal.SIGTERM, lambda *_: member.stop_after_head())
    signal.signal(signal.SIGINT, lambda *_: member.stop())
    try:
        readiness.serve(lambda: member.joined and served(), arguments.http_port)
    except OSError as error:
        raise CommandError(f"port {arguments.http_port} cannot be listened on ({error}): set --http_port") from error
    member.run()
    return 0
