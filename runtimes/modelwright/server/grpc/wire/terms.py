"""What all connections of a server share: what may be called, and how long messages may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.call import Call


@dataclass(frozen=True, slots=True)
class Route:
    """A method: `answer` answers or ends each call of it; a `unary` one has one message on each side."""

    answer: Callable[[Call], Awaitable[None]]
    unary: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Methods by their paths, the longest messages in bytes, and whether clients must choose HTTP/2 under TLS.

    `body_timeout` is how many seconds a message may lag behind the slowest that it may come.
    """

    routes: Mapping[str, Route]
    longest_request: int
    longest_answer: int
    body_timeout: float
    tls: bool = False
