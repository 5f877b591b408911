"""What the connections of one port have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from modelwright.server.arguments import Arguments
from modelwright.server.rest.wire.heads import Heads
from modelwright.server.workers.guard import Guard

if TYPE_CHECKING:
    from modelwright.server.rest.wire.connection import Connection
    from modelwright.server.rest.wire.request import Request

App = Callable[["Request"], Awaitable[None]]


class Coming:
    """Held by a connection that is not there yet: one in the middle of a TLS handshake."""

    __slots__ = ("__weakref__",)


@dataclass(slots=True)
class Open:
    """What is open in one process, whichever port it came through."""

    coming: WeakSet[Coming] = field(default_factory=WeakSet)
    connections: set[Connection] = field(default_factory=set)
    # Requests in work; one may outlive its connection.
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    heads: Heads = field(default_factory=Heads)


@dataclass(frozen=True, slots=True)
class Terms:
    """Who answers, within which limits; `guard` hands connections to the supervisor."""

    application: App
    arguments: Arguments
    open: Open
    guard: Guard | None = None
