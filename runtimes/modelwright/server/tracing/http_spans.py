"""The REST server with its inference requests traced."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from modelwright.server.rest.routes import Route, route
from modelwright.server.rest.wire.request import Request
from modelwright.server.rest.wire.terms import App

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans


class TracedApplication:
    """Answers as `application` does; what runs no model, such as health and metrics, is not traced."""

    def __init__(self, application: App, spans: Spans) -> None:
        self._application = application
        self._spans = spans

    async def __call__(self, request: Request) -> None:
        """Answer one request within its span."""
        path = request.path
        found = route(path) if request.method == "POST" else None
        if found is None or found.method != "POST":
            await self._application(request)
            return
        caller = request.caller
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in caller.headers}
        template = _template(found, path)
        attributes = {
            "http.request.method": "POST",
            "http.route": template,
            "url.path": path,
            "url.scheme": request.scheme,
            "network.protocol.version": request.version,
        }
        if request.client is not None:
            attributes["client.address"] = request.client[0]
        if "user-agent" in carrier:
            attributes["user_agent.original"] = carrier["user-agent"]
        with self._spans.serving(f"POST {template}", carrier, attributes) as span:
            await self._application(request)
            tally = caller.tally
            if tally is None or not span.is_recording():
                return
            failed = int(tally.code) >= HTTPStatus.INTERNAL_SERVER_ERROR
            span.set_attribute("http.response.status_code", tally.code)
            if failed:
                span.set_attribute("error.type", str(tally.code))
            self._spans.describe(span, caller, tally, failed=failed)


def _template(found: Route, path: str) -> str:
    """Give the path with its model and version left open, since each route is to have one name."""
    if found.model:
        path = path.replace(f"/models/{found.model}", "/models/{model}", 1)
    if found.version:
        path = path.replace(f"/versions/{found.version}", "/versions/{version}", 1)
    return path
