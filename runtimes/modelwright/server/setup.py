"""What a serving process is made of, ready before workers fork."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.model import Repository
from modelwright.server.arguments import Arguments
from modelwright.server.metrics.counts import Metrics
from modelwright.server.tls import Certificates

if TYPE_CHECKING:
    from modelwright.server.admin.application import Admin
    from modelwright.server.tracing.spans import Spans


@dataclass(frozen=True, slots=True)
class Setup:
    """The models, what was asked for, and what the workers share; `spans` makes each process's own."""

    repository: Repository
    arguments: Arguments
    listening: socket.socket
    metrics: Metrics
    certificates: Certificates | None = None
    spans: type[Spans] | None = None
    admin: Admin | None = None
