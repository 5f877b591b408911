"""One serving process: an event loop, the listening socket, and its life from SIGTERM to the last answer."""

import asyncio
import importlib
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from modelwright.server import drain, log
from modelwright.server.arguments import Arguments
from modelwright.server.execution import Execution
from modelwright.server.health import Health
from modelwright.server.loading import LoadFailed
from modelwright.server.rest.application import Application
from modelwright.server.rest.wire.connection import Connection
from modelwright.server.rest.wire.terms import App, Open, Terms
from modelwright.server.setup import Setup
from modelwright.server.tls import LOOK_EVERY
from modelwright.server.tracing.http_spans import TracedApplication
from modelwright.server.workers.guard import Guard

if TYPE_CHECKING:
    from modelwright.server.admin.application import Admin

BACKLOG = 2048
# Seconds that the last spans have to leave in, however long the requests took.
_LAST_SPANS = 0.5


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

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._repository, self._arguments = setup.repository, setup.arguments
        self._listening, self._certificates = setup.listening, setup.certificates
        names = setup.repository.names
        # Made here, after the fork: its thread would not survive one.
        self._spans = setup.spans(names[0] if len(names) == 1 else "modelwright") if setup.spans else None
        arguments = setup.arguments
        self._execution = Execution(arguments.model_threads, arguments.max_queue_size)
        self._health = Health(setup.repository)
        self._open = Open()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._grpc: Any = None

    async def serve(self, parent: int | None = None, guard: Guard | None = None, admin: "Admin | None" = None) -> bool:
        """Serve until SIGTERM or SIGINT, or until the other end of the pipe `parent` is closed.

        `guard` hands connections to the supervisor; `admin` is served on a port of its own. Gives whether every
        request was answered.

        Raises:
            LoadFailed: a port is taken.

        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._arguments.max_asyncio_workers, "asyncio"))
        self._heed_signals(parent)
        for model in self._repository:
            model.bind(self._execution)
        if admin is not None:
            admin.lifecycle.bind(self._execution)
        # Nobody else can go on with a dead worker's TLS, nor say anything in it.
        terms = Terms(self._application(), self._arguments, self._open, None if self._certificates else guard)

        def protocol() -> Any:  # noqa: ANN401 - asyncio asks for a base that the compiler does not know
            return Connection(terms)

        server = await self._listen(protocol)
        administered = await self._listen_to_admins(admin) if admin else None
        self._tick()
        self._look_at_certificates()
        await self._start_grpc()
        self._health.listening = True
        log.LOGGER.info("serving %s on port %d", ", ".join(self._repository.names), self._listening.getsockname()[1])
        await self._stop.wait()
        if administered is not None:
            administered.close()
        finished = await self._drain(server, protocol)
        for model in self._repository:
            model.unload()
        self._execution.close()
        return finished

    def _heed_signals(self, parent: int | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        # A worker is born with them blocked.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        if parent is not None:
            loop.add_reader(parent, self._orphaned, parent)

    @property
    def busy(self) -> bool:
        """Whether a thread still runs model code, whose answer nobody awaits any more."""
        return self._execution.busy

    async def _listen(self, protocol: Callable[[], Any]) -> asyncio.Server:
        # A duplicate, because the original is needed once the server has stopped accepting.
        own, loop = self._listening.dup(), asyncio.get_running_loop()
        try:
            return await loop.create_server(protocol, sock=own, backlog=BACKLOG, **self._tls())
        except OSError as error:
            raise LoadFailed(f"cannot listen on port {self._arguments.http_port}: {error.strerror}") from None

    async def _listen_to_admins(self, admin: "Admin") -> asyncio.Server:
        loop, own = asyncio.get_running_loop(), admin.listening.dup()
        terms = Terms(admin, self._arguments, self._open)

        def protocol() -> Any:  # noqa: ANN401 - see serve
            return Connection(terms)

        try:
            server = await loop.create_server(protocol, sock=own, backlog=BACKLOG, **self._tls())
        except OSError as error:
            raise LoadFailed(f"cannot listen on port {self._arguments.admin_port}: {error.strerror}") from None
        log.LOGGER.info("administered on port %d", admin.listening.getsockname()[1])
        return server

    def _tls(self) -> dict[str, Any]:
        if self._certificates is None:
            return {}
        return {"ssl": self._certificates.context, "ssl_handshake_timeout": self._arguments.header_timeout}

    def _application(self) -> App:
        application = Application(self._setup, self._execution, self._health)
        return application if self._spans is None else TracedApplication(application, self._spans)

    async def _start_grpc(self) -> None:
        """Start gRPC after REST, whose first answer need not wait for protobuf's import."""
        if not self._arguments.enable_grpc:
            return
        try:
            module = await asyncio.to_thread(importlib.import_module, "modelwright.server.grpc.server")
        except ImportError as error:
            log.LOGGER.warning("gRPC is off: %s; install modelwright[server] or pass --enable_grpc=false", error)
            return
        self._grpc = await module.start(self._setup, self._execution, self._health, self._spans)

    def _tick(self) -> None:
        """Keep the date header, which every answer carries, one second fresh."""
        self._open.heads.tick()
        asyncio.get_running_loop().call_later(1, self._tick)

    def _look_at_certificates(self) -> None:
        if self._certificates is not None:
            self._certificates.refresh()
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_at_certificates)

    def _signalled(self, number: int) -> None:
        if self._health.draining or number == signal.SIGINT:
            self._hurry.set()
        self._health.draining = True
        self._stop.set()

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self._signalled(signal.SIGTERM)

    async def _drain(self, server: asyncio.Server, protocol: Callable[[], Any]) -> bool:
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
        accepted = drain.accept_rest(self._listening, protocol, self._tls())
        self._listening.close()
        grpc = asyncio.ensure_future(self._grpc.stop(max(0.0, until - loop.time()))) if self._grpc else None
        await asyncio.gather(*accepted, return_exceptions=True)
        await drain.handshakes(self._open.coming, min(until, loop.time() + self._arguments.header_timeout))
        finished = await drain.finish(self._open.connections, self._open.tasks, until)
        if grpc is not None:
            await grpc
        if self._spans is not None:
            await self._spans.close(max(_LAST_SPANS, until - loop.time()))
        if not finished:
            log.LOGGER.error("the grace period is over; requests in work were cut off")
        return finished
