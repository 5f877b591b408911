"""The gRPC server of one worker: the V2 service, health and reflection on one port.

Only a worker may import this, after the fork: grpc's threads do not survive one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.server import log
from modelwright.server.execution import Execution
from modelwright.server.grpc.health import HealthService
from modelwright.server.grpc.service import NAME, Service
from modelwright.server.grpc.tls import credentials
from modelwright.server.health import Health
from modelwright.server.loading import LoadFailed
from modelwright.server.setup import Setup
from modelwright.server.tls import Certificates
from modelwright.server.tracing.grpc_spans import TracedCalls

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans

_HEALTH: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name


class GrpcServer:
    """A server that takes calls; `port` is the one it listens on, which matters when any free one was asked for."""

    def __init__(self, setup: Setup, execution: Execution, health: Health, spans: Spans | None) -> None:
        repository, arguments = setup.repository, setup.arguments
        self._server = grpc.aio.server(
            interceptors=[TracedCalls(spans)] if spans else None,
            options=[
                ("grpc.max_send_message_length", arguments.grpc_max_send_message_length),
                ("grpc.max_receive_message_length", arguments.grpc_max_receive_message_length),
                # Workers share the port; a single one must find out when somebody else has it.
                ("grpc.so_reuseport", int(arguments.workers > 1)),
            ],
        )
        service = Service(repository, arguments, execution, health, setup.metrics)
        self._server.add_generic_rpc_handlers((service.handler(),))
        health_pb2_grpc.add_HealthServicer_to_server(HealthService(repository, health, frozenset({NAME})), self._server)
        reflection.enable_server_reflection((NAME, _HEALTH, reflection.SERVICE_NAME), self._server, pool=_pool())
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        try:
            self.port = self._listen(f"{host}:{arguments.grpc_port}", setup.certificates)
        except RuntimeError:
            raise LoadFailed(
                f"cannot listen on {arguments.host} port {arguments.grpc_port}: it is taken or not ours to take; "
                "choose another --grpc_port"
            ) from None

    def _listen(self, address: str, certificates: Certificates | None) -> int:
        if certificates is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, credentials(certificates))

    async def start(self) -> None:
        """Begin to take calls."""
        await self._server.start()

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, and give those in work `grace_s` seconds before they are cancelled."""
        await self._server.stop(grace_s)


async def start(setup: Setup, execution: Execution, health: Health, spans: Spans | None) -> GrpcServer:
    """Serve the models on `--grpc_port`. Raises LoadFailed when it cannot be had."""
    server = GrpcServer(setup, execution, health, spans)
    await server.start()
    log.LOGGER.info("serving gRPC on port %d", server.port)
    return server


def _pool() -> descriptor_pool.DescriptorPool:
    """Collect what reflection describes: our messages live in a pool of their own, the others in protobuf's."""
    pool = descriptor_pool.DescriptorPool()
    for file in (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        pool.AddSerializedFile(file.serialized_pb)
    return pool
