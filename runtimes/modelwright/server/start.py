"""From models and arguments to a serving process or several, and back to an exit code."""

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from modelwright.model import Model, Repository
from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.loading import LoadFailed, give_up, load
from modelwright.server.process import Process, loop_factory
from modelwright.server.workers import Supervisor

# Seconds; Python's own 5 ms, waited several times an answer, is what health would wait beside a busy thread.
_SWITCH_INTERVAL = 0.001
# What a worker may take beyond its grace period, to unload.
_UNLOAD = 5.0


def start(models: Sequence[Model], arguments: Arguments) -> None:
    """Serve; see `modelwright.server.run`."""
    try:
        log.configure(arguments)
    except (OSError, ValueError) as error:
        give_up(error)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    repository = Repository(models)
    try:
        listening = _bind(arguments.host, arguments.http_port, "--http_port")
        if arguments.enable_grpc:
            # Taken for a moment: workers, which share the port, would each find out only after the fork.
            _bind(arguments.host, arguments.grpc_port, "--grpc_port").close()
        if arguments.workers == 1:
            _alone(repository, arguments, listening)
        else:
            _forked(repository, arguments, listening)
    except LoadFailed as failure:
        give_up(failure)


def _bind(host: str, port: int, flag: str) -> socket.socket:
    """Take the address without listening yet: a probe must not see a port open before the models are loaded.

    Raises:
        LoadFailed: the address cannot be had.

    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setblocking(False)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise LoadFailed(f"cannot listen on {host} port {port}: {error.strerror}; choose another {flag}") from None
    return listening


def _alone(repository: Repository, arguments: Arguments, listening: socket.socket) -> None:
    """Serve from this process, in the loop in which the models were loaded."""

    async def whole_life() -> None:
        await load(repository)
        gc.freeze()
        process = Process(repository, arguments, listening)
        finished = await process.serve()
        if process.busy or not finished:
            # A thread in an author's code cannot be ended, and an orderly exit would wait for it.
            _leave(0 if finished else 1)

    with asyncio.Runner(loop_factory=loop_factory(arguments)) as runner:
        runner.run(whole_life())


def _forked(repository: Repository, arguments: Arguments, listening: socket.socket) -> None:
    """Load once, then serve from workers that share what was loaded."""
    with asyncio.Runner(loop_factory=loop_factory(arguments)) as runner:
        runner.run(load(repository))
    gc.collect()
    # The collector would touch, and so copy, every page of what is loaded.
    gc.freeze()

    def work(parent: int) -> int:
        async def whole_life() -> int:
            finished = await Process(repository, arguments, listening).serve(parent)
            _leave(0 if finished else 1)

        with asyncio.Runner(loop_factory=loop_factory(arguments)) as runner:
            return runner.run(whole_life())

    code = Supervisor(arguments.workers, listening, work).run(arguments.grace_period + _UNLOAD)
    if code:
        raise SystemExit(code)


def _leave(code: int) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
