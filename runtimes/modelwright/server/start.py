"""From models and arguments to a serving process or several, and back to an exit code."""

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from modelwright import author_metrics
from modelwright.model import Model, Repository
from modelwright.server import log, memory
from modelwright.server.arguments import Arguments
from modelwright.server.loading import LoadFailed, give_up, load
from modelwright.server.metrics.counts import Metrics
from modelwright.server.process import Process, loop_factory
from modelwright.server.renewal import RELOADED_BY
from modelwright.server.rest.access_log import AccessLog
from modelwright.server.setup import Setup
from modelwright.server.tls import certificates
from modelwright.server.tracing import tracing
from modelwright.server.workers.guard import Guard
from modelwright.server.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from modelwright.server.admin.application import Admin

# Seconds; Python's own 5 ms, waited several times an answer, is what health would wait beside a busy thread.
_SWITCH_INTERVAL = 0.001
# What a worker may take beyond its grace period, to unload.
_UNLOAD = 5.0


def start(models: Sequence[Model], arguments: Arguments) -> None:
    """Serve; see `modelwright.server.run`."""
    try:
        log.configure(arguments)
        # Refused now, and not by each worker once it has loaded.
        AccessLog(arguments)
        _warn(arguments)
        models = _on_ray(models, arguments) if arguments.replicas else models
    except (OSError, ValueError, LoadFailed) as error:
        give_up(error)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    memory.keep_freed()
    metrics = Metrics(arguments.workers, len(models))
    # Each replica has batches of its own.
    if arguments.max_batch_size > 1 and not arguments.replicas:
        from modelwright.server.batching.model import batched  # noqa: PLC0415 - only who batches pays for it

        models = batched(models, arguments, metrics.batches)
    repository = Repository(models)
    if not author_metrics.prepare(arguments.workers):
        log.LOGGER.warning(
            "the model's own prometheus_client metrics are left out of /metrics: they were made before the server "
            "knew of its %d workers, or there is no temporary folder to write to; set --workers on the command line or "
            "MODELWRIGHT_WORKERS in the environment",
            arguments.workers,
        )
    try:
        setup = _set_up(repository, arguments, metrics)
        if arguments.workers == 1:
            _alone(setup)
        else:
            _forked(setup)
    except LoadFailed as failure:
        give_up(failure)


def _set_up(repository: Repository, arguments: Arguments, metrics: Metrics) -> Setup:
    """Look at what does not need the models, so that a mistake there is told before they are loaded.

    Raises:
        LoadFailed: a certificate or an address cannot be had.

    """
    shown = certificates(arguments)
    spans = tracing.load(os.environ)
    listening = _bind(arguments.host, arguments.http_port, "--http_port")
    if arguments.enable_grpc:
        # Taken for a moment: workers, which share the port, would each find out only after the fork.
        _bind(arguments.host, arguments.grpc_port, "--grpc_port").close()
    return Setup(repository, arguments, listening, metrics, shown, spans, _administered(repository, arguments, metrics))


def _on_ray(models: Sequence[Model], arguments: Arguments) -> Sequence[Model]:
    if arguments.workers > 1:
        raise LoadFailed("--replicas and --workers are two ways to have several processes; leave --workers out")
    try:
        # Ray alone takes longer to import than all of the server.
        from modelwright.server.replicated import replicated  # noqa: PLC0415
    except ImportError as error:
        raise LoadFailed(f"--replicas needs Ray ({error}); install modelwright[ray], or use --workers") from None
    return replicated(models, arguments)


def _administered(repository: Repository, arguments: Arguments, metrics: Metrics) -> "Admin | None":
    if not arguments.admin_port:
        return None
    # Only who asks for it pays for it.
    from modelwright.server.admin.application import Admin  # noqa: PLC0415
    from modelwright.server.admin.lifecycle import Lifecycle  # noqa: PLC0415

    listening = _bind(arguments.admin_host, arguments.admin_port, "--admin_port")
    return Admin(listening, Lifecycle(repository, arguments.grace_period, metrics.loaded))


def _warn(arguments: Arguments) -> None:
    """Say what was asked for and has no effect."""
    default = Arguments.__dataclass_fields__["max_threads"].default
    if arguments.max_threads != default:
        log.LOGGER.warning(
            "--max_threads=%d has no effect: one event loop serves gRPC; --model_threads is how many calls of "
            "synchronous model code run at one time, --workers how many processes",
            arguments.max_threads,
        )


def _show(setup: Setup) -> None:
    """Log how to ask the first model, where that was asked for."""
    if not setup.arguments.show_curl:
        return
    from modelwright.server.example_call import command  # noqa: PLC0415

    scheme = "https" if setup.certificates else "http"
    origin = f"{scheme}://localhost:{setup.listening.getsockname()[1]}"
    folder = Path(setup.arguments.show_curl)
    log.LOGGER.info("try it: %s", command(next(iter(setup.repository)), origin, folder))


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


def _alone(setup: Setup) -> None:
    """Serve from this process, in the loop in which the models were loaded."""

    async def whole_life() -> None:
        await load(setup.repository, setup.metrics.loaded)
        _show(setup)
        gc.freeze()
        process = Process(setup)
        # Held here, since a loop holds its tasks weakly.
        heeding = _heed(setup)
        finished = await process.serve(admin=setup.admin)
        if heeding is not None:
            heeding.cancel()
        if process.busy or not finished:
            # A thread in an author's code cannot be ended, and an orderly exit would wait for it.
            _leave(0 if finished else 1)

    with asyncio.Runner(loop_factory=loop_factory(setup.arguments)) as runner:
        runner.run(whole_life())


def _heed(setup: Setup) -> "asyncio.Task[None] | None":
    """Take over what `modelwright serve --reload` tells of changed files, where that has started this server."""
    if RELOADED_BY not in os.environ:
        return None
    from modelwright.server.renewal import channel  # noqa: PLC0415 - only who develops pays for it

    connection = channel.end(os.environ.pop(RELOADED_BY))
    if setup.arguments.workers == 1:
        return asyncio.create_task(channel.heed(connection, setup.repository))
    channel.refuse(connection, f"it has {setup.arguments.workers} workers")
    return None


def _forked(setup: Setup) -> None:
    """Load once, then serve from workers that share what was loaded."""
    arguments, admin = setup.arguments, setup.admin
    with asyncio.Runner(loop_factory=loop_factory(arguments)) as runner:
        runner.run(load(setup.repository, setup.metrics.loaded))
    _show(setup)
    _heed(setup)
    gc.collect()
    # The collector would touch, and so copy, every page of what is loaded.
    gc.freeze()
    control = admin.control(setup.repository.names) if admin else None

    def work(parent: int, number: int, guard: Guard) -> int:
        setup.metrics.take(number)
        author_metrics.take(number)

        async def whole_life() -> int:
            own = await admin.in_worker(control) if admin and control else None
            finished = await Process(setup).serve(parent, guard, own)
            _leave(0 if finished else 1)

        with asyncio.Runner(loop_factory=loop_factory(arguments)) as runner:
            return runner.run(whole_life())

    def ended(number: int) -> None:
        setup.metrics.ended(number)
        author_metrics.ended(number)

    supervisor = Supervisor(arguments.workers, setup.listening, work, ended, control)
    code = supervisor.run(arguments.grace_period + _UNLOAD)
    if code:
        raise SystemExit(code)


def _leave(code: int) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
