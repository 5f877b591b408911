"""grpc.health.v1 answered from the models themselves, so that it cannot be out of date.

The service name "" is the server, `inference.GRPCInferenceService` the protocol, any other one a model.
Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from typing import Final

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import health_pb2 as pb
from modelwright.errors import InvalidInput
from modelwright.model import Repository
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.status import CallRefused, StatusCode
from modelwright.server.grpc.wire.terms import Route
from modelwright.server.health import Health

NAME: Final = pb.DESCRIPTOR.services_by_name["Health"].full_name
# How often a watched status is looked at again, in seconds: a watcher learns of a drain well within a probe's period.
_WATCH_PERIOD_S: Final = 0.5


class HealthService:
    """SERVING for a model that is ready, and for the server when all of them are; nothing is while it drains."""

    def __init__(self, repository: Repository, health: Health, services: frozenset[str]) -> None:
        self._repository = repository
        self._health = health
        self._services = services | {""}

    def routes(self) -> dict[str, Route]:
        """Give the methods by their paths."""
        return {f"/{NAME}/Check": Route(self._check, unary=True), f"/{NAME}/Watch": Route(self._watch, unary=False)}

    def status(self, service: str) -> pb.HealthCheckResponse.ServingStatus:
        """Return a service's status, SERVICE_UNKNOWN for a name that is no service and no model."""
        if service in self._services:
            ready = self._health.ready
        elif service in self._repository.names:
            ready = self._health.model_ready(service)
        else:
            return pb.HealthCheckResponse.SERVICE_UNKNOWN
        return pb.HealthCheckResponse.SERVING if ready else pb.HealthCheckResponse.NOT_SERVING

    async def _check(self, call: Call) -> None:
        """Answer one check; an unknown service is NOT_FOUND, as the protocol has it."""
        service = _service(call.message or b"")
        status = self.status(service)
        if status == pb.HealthCheckResponse.SERVICE_UNKNOWN:
            raise CallRefused(StatusCode.NOT_FOUND, f"{service!r} is no service and no model here")
        call.answer(pb.HealthCheckResponse(status=status).SerializeToString())

    async def _watch(self, call: Call) -> None:
        """Send the status now and whenever it changes, until the caller goes or the server stops."""
        service = _service(await call.read() or b"")
        told: int | None = None
        while not call.stopping:
            status = self.status(service)
            if status != told:
                await call.write(pb.HealthCheckResponse(status=status).SerializeToString())
                told = status
            await asyncio.sleep(_WATCH_PERIOD_S)
        raise CallRefused(StatusCode.UNAVAILABLE, "the server is stopping; watch another")


def _service(message: bytes) -> str:
    try:
        return codec.parse(pb.HealthCheckRequest, message).service
    except InvalidInput as error:
        raise CallRefused(StatusCode.INVALID_ARGUMENT, error.message) from None
