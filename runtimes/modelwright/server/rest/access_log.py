"""The access log: a line for each REST request, ours, in the words of --access_log_format, or uvicorn's."""

from __future__ import annotations

import logging
from urllib.parse import quote

from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.rest import replies
from modelwright.server.rest.access_format import AccessFormat
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.routes import shown
from modelwright.server.rest.wire.request import Request

# What kserve serves with writes its access lines there, and so do we for configurations that say where they go.
_UVICORN = logging.getLogger("uvicorn.access")


class AccessLog:
    """What is written of each request, as the arguments and the configuration of logging have it."""

    def __init__(self, arguments: Arguments) -> None:
        """Read the arguments; raises ValueError for an --access_log_format that is no good."""
        text = arguments.access_log_format
        self._format = AccessFormat(text) if text else None
        self._plain = arguments.access_log
        self._as_uvicorn = _UVICORN.hasHandlers()
        self.on = self._plain or self._format is not None or self._as_uvicorn

    def write(self, request: Request, status: int, headers: Headers, body: replies.Body, seconds: float) -> None:
        """Log one request that was answered in so many seconds."""
        if self._format is not None:
            log.ACCESS.info("%s", self._format.line(request, status, headers, replies.size(body), seconds))
        elif self._plain:
            log.access(request.method, shown(request.path), status, request.caller.request_id, seconds)
        if self._as_uvicorn:
            # Whose formatters take the arguments apart.
            client = ":".join(map(str, request.client)) if request.client is not None else ""
            path = quote(request.path) + (f"?{request.query.decode('latin-1')}" if request.query else "")
            _UVICORN.info('%s - "%s %s HTTP/%s" %d', client, request.method, path, request.version, status)
