"""One serving process: an event loop, the listening socket, and its life from SIGTERM to the last answer."""

import asyncio
import importlib
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from modelwright.model import Repository
from modelwright.server import drain, log
from modelwright.server.arguments import Arguments
from modelwright.server.execution import Execution
from modelwright.server.health import Health
from modelwright.server.http import Application
from modelwright.server.loading import LoadFailed
from modelwright.server.protocol import Protocol

BACKLOG = 2048


def loop_factory(arguments: Arguments) -> Callable[[], asyncio.AbstractEventLoop]:
    """Give the maker of the event loop that was asked for; `auto` is uvloop where it is installed.

    Raises:
        ImportError: uvloop was asked for and is not installed.

    """
    if arguments.event_loop == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        if arguments.event_loop == "uvloop":
            raise
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class Process:
    """Serves one set of models until it is told to stop."""

    def __init__(self, repository: Repository, arguments: Arguments, listening: socket.socket) -> None:
        self._repository = repository
        self._arguments = arguments
        self._listening = listening
        self._execution = Execution(arguments.model_threads, arguments.max_queue_size)
        self._health = Health(repository)
        self._state = ServerState()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._grpc: Any = None

    async def serve(self, parent: int | None = None) -> bool:
        """Serve until SIGTERM or SIGINT, or until the other end of the pipe `parent` is closed.

        Gives whether every request was answered.

        Raises:
            LoadFailed: a port is taken.

        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._arguments.max_asyncio_workers, "asyncio"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        # A worker is born with them blocked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        if parent is not None:
            loop.add_reader(parent, self._orphaned, parent)
        for model in self._repository:
            model.bind(self._execution)
        config = self._config()

        def protocol() -> Protocol:
            return Protocol(config, self._state, loop, self._arguments)

        server = await self._listen(protocol)
        self._tick()
        await self._start_grpc()
        self._health.listening = True
        log.LOGGER.info("serving %s on port %d", ", ".join(self._repository.names), self._listening.getsockname()[1])
        await self._stop.wait()
        finished = await self._drain(server, protocol)
        for model in self._repository:
            model.unload()
        self._execution.close()
        return finished

    @property
    def busy(self) -> bool:
        """Whether a thread still runs model code, whose answer nobody awaits any more."""
        return self._execution.busy

    async def _listen(self, protocol: Callable[[], Protocol]) -> asyncio.Server:
        # A duplicate, because the original is needed once the server has stopped accepting.
        try:
            return await asyncio.get_running_loop().create_server(protocol, sock=self._listening.dup(), backlog=BACKLOG)
        except OSError as error:
            raise LoadFailed(f"cannot listen on port {self._arguments.http_port}: {error.strerror}") from None

    def _config(self) -> uvicorn.Config:
        application: Any = Application(self._repository, self._arguments, self._execution, self._health)
        config = uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=self._arguments.timeout_keep_alive,
        )
        config.load()
        return config

    async def _start_grpc(self) -> None:
        """Start gRPC after REST, whose first answer need not wait for grpc's import."""
        if not self._arguments.enable_grpc:
            return
        try:
            module = await asyncio.to_thread(importlib.import_module, "modelwright.server.grpc")
        except ImportError as error:
            log.LOGGER.warning("gRPC is off: %s; install modelwright[server] or pass --enable_grpc=false", error)
            return
        try:
            self._grpc = await module.start(self._repository, self._arguments, self._execution, self._health)
        except RuntimeError as error:
            port = self._arguments.grpc_port
            raise LoadFailed(f"cannot serve gRPC on port {port}: choose another --grpc_port") from error

    def _tick(self) -> None:
        """Keep the date header, which every answer carries, one second fresh."""
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        asyncio.get_running_loop().call_later(1, self._tick)

    def _signalled(self, number: int) -> None:
        if self._health.draining or number == signal.SIGINT:
            self._hurry.set()
        self._health.draining = True
        self._stop.set()

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self._signalled(signal.SIGTERM)

    async def _drain(self, server: asyncio.Server, protocol: Callable[[], Protocol]) -> bool:
        log.LOGGER.info("draining for at most %g s", self._arguments.grace_period)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._arguments.grace_period
        # Answers now close their connections; whoever sends meanwhile is still served.
        try:
            async with asyncio.timeout(min(self._arguments.drain_delay, self._arguments.grace_period)):
                await self._hurry.wait()
        except TimeoutError:
            pass
        server.close()
        await drain.accept_rest(self._listening, protocol)
        self._listening.close()
        grpc = asyncio.ensure_future(self._grpc.stop(max(0.0, until - loop.time()))) if self._grpc else None
        finished = await drain.finish(self._state.connections, self._state.tasks, until)  # type: ignore[arg-type]
        if grpc is not None:
            await grpc
        if not finished:
            log.LOGGER.error("the grace period is over; requests in work were cut off")
        return finished
