"""grpc.health.v1 answered from the models themselves, so that it cannot be out of date.

The service name "" is the server, `inference.GRPCInferenceService` the protocol, any other one a model.
Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from modelwright.model import Repository
from modelwright.server.health import Health

# How often a watched status is looked at again, in seconds: a watcher learns of a drain well within a probe's period.
_WATCH_PERIOD_S: Final = 0.5
_Request = health_pb2.HealthCheckRequest
_Status = health_pb2.HealthCheckResponse
_Context: TypeAlias = "grpc.aio.ServicerContext[_Request, _Status]"


class HealthService(health_pb2_grpc.HealthServicer):
    """SERVING for a model that is ready, and for the server when all of them are; nothing is while it drains."""

    def __init__(self, repository: Repository, health: Health, services: frozenset[str]) -> None:
        self._repository = repository
        self._health = health
        self._services = services | {""}

    def status(self, service: str) -> int:
        """Return a service's status, SERVICE_UNKNOWN for a name that is no service and no model."""
        if service in self._services:
            ready = self._health.ready
        elif service in self._repository.names:
            ready = self._health.model_ready(service)
        else:
            return _Status.SERVICE_UNKNOWN
        return _Status.SERVING if ready else _Status.NOT_SERVING

    async def Check(self, request: _Request, context: _Context) -> _Status:  # noqa: N802 (the protocol's name)
        """Answer one check; an unknown service is NOT_FOUND, as the protocol has it."""
        status = self.status(request.service)
        if status == _Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{request.service!r} is no service and no model here")
        return _Status(status=status)

    async def Watch(self, request: _Request, context: _Context) -> None:  # noqa: N802 (the protocol's name)
        """Send the status now and whenever it changes, until the caller goes."""
        told: int | None = None
        while True:
            status = self.status(request.service)
            if status != told:
                await context.write(_Status(status=status))
                told = status
            await asyncio.sleep(_WATCH_PERIOD_S)
