"""The gRPC server of one worker: the V2 service, health and reflection on one port."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final

from modelwright.server import log
from modelwright.server.execution import Execution
from modelwright.server.grpc.health import NAME as HEALTH
from modelwright.server.grpc.health import HealthService
from modelwright.server.grpc.reflection import ReflectionService
from modelwright.server.grpc.service import NAME, Service
from modelwright.server.grpc.wire.connection import Connection
from modelwright.server.grpc.wire.terms import Route, Terms
from modelwright.server.health import Health
from modelwright.server.loading import LoadFailed
from modelwright.server.setup import Setup

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans

_BACKLOG: Final = 2048
# Seconds between looks at what is still open.
_STEP: Final = 0.05
# What is left for calls to end in that were cut off.
_LAST: Final = 1.0


class GrpcServer:
    """A server that takes calls; `port` is the one it listens on, which matters when any free one was asked for."""

    def __init__(self, setup: Setup, execution: Execution, health: Health, spans: Spans | None) -> None:
        arguments, certificates = setup.arguments, setup.certificates
        self._tls: dict[str, Any] = {}
        if certificates is not None:
            self._tls = {"ssl": certificates.grpc_context, "ssl_handshake_timeout": arguments.header_timeout}
        self._terms = Terms(
            _routes(setup, execution, health, spans),
            arguments.grpc_max_receive_message_length,
            arguments.grpc_max_send_message_length,
            arguments.body_timeout,
            tls=certificates is not None,
        )
        self._open: set[Connection] = set()
        self._stopping = False
        self._server: asyncio.Server | None = None
        # Workers share the port; a single one must find out when somebody else has it.
        self._listening = _bind(arguments.host, arguments.grpc_port, shared=arguments.workers > 1)
        self.port: int = self._listening.getsockname()[1]

    def _connection(self) -> Connection:
        return Connection(self._terms, self._open)

    async def start(self) -> None:
        """Begin to take calls."""
        # A duplicate, because the original is needed once the server has stopped accepting.
        loop, own = asyncio.get_running_loop(), self._listening.dup()
        try:
            self._server = await loop.create_server(self._connection, sock=own, backlog=_BACKLOG, **self._tls)
        except OSError as error:
            raise _taken(*self._listening.getsockname()[:2]) from error

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, and give those in work `grace_s` seconds before they are cut off."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_s
        if self._server is not None:
            self._server.close()
        accepted = self._accept()
        self._listening.close()
        await asyncio.gather(*accepted, return_exceptions=True)
        drained: set[Connection] = set()
        while self._open and loop.time() < until:
            for each in self._open - drained:
                each.drain()
                drained.add(each)
            await asyncio.sleep(_STEP)
        for each in list(self._open):
            each.cut()
        # Long enough for what they are told to leave.
        until = loop.time() + _LAST
        while self._open:
            if loop.time() >= until:
                return
            await asyncio.sleep(_STEP)

    def _accept(self) -> list[asyncio.Task[Any]]:
        """Take every connection that the kernel has already made: closing the socket would reset them."""
        loop = asyncio.get_running_loop()
        accepted: list[asyncio.Task[Any]] = []
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return accepted
            connection.setblocking(False)
            accepted.append(loop.create_task(loop.connect_accepted_socket(self._connection, connection, **self._tls)))


async def start(setup: Setup, execution: Execution, health: Health, spans: Spans | None) -> GrpcServer:
    """Serve the models on `--grpc_port`. Raises LoadFailed when it cannot be had."""
    server = GrpcServer(setup, execution, health, spans)
    await server.start()
    log.LOGGER.info("serving gRPC on port %d", server.port)
    return server


def _routes(setup: Setup, execution: Execution, health: Health, spans: Spans | None) -> dict[str, Route]:
    inference = Service(setup.repository, setup.arguments, execution, health, setup.metrics).routes()
    if spans is not None:
        from modelwright.server.tracing.grpc_spans import traced  # noqa: PLC0415 - needs OpenTelemetry

        inference = traced(inference, spans)
    checks = HealthService(setup.repository, health, frozenset({NAME, HEALTH}))
    return {**inference, **checks.routes(), **ReflectionService().routes()}


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.setblocking(False)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise _taken(host, port) from None
    return listening


def _taken(host: str, port: int) -> LoadFailed:
    return LoadFailed(
        f"cannot listen on {host} port {port}: it is taken or not ours to take; choose another --grpc_port"
    )
