"""An OTLP receiver: what OpenTelemetry's own collector is to a server, as far as spans go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class Received:
    """A span and the attributes of the process that sent it."""

    span: trace_pb2.Span
    resource: dict[str, object]

    @property
    def attributes(self) -> dict[str, object]:
        return _values(self.span.attributes)

    @property
    def trace(self) -> str:
        return self.span.trace_id.hex()

    @property
    def failed(self) -> bool:
        return self.span.status.code == trace_pb2.Status.STATUS_CODE_ERROR

    @property
    def serves(self) -> bool:
        return self.span.kind == trace_pb2.Span.SPAN_KIND_SERVER


class Collector:
    """Receives until it is closed; `endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT is to be."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["content-length"]))
                collector._take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, request: ExportTraceServiceRequest) -> None:
        for each in request.resource_spans:
            resource = _values(each.resource.attributes)
            self.received += [Received(span, resource) for scope in each.scope_spans for span in scope.spans]

    def of(self, trace: str) -> list[Received]:
        return [each for each in list(self.received) if each.trace == trace]

    def wait(self, trace: str, complete: Callable[[list[Received]], bool]) -> list[Received]:
        """Give a trace's spans once they are all there."""
        until = time.monotonic() + 30
        while not complete(found := self.of(trace)):
            assert time.monotonic() < until, [(each.span.name, each.attributes) for each in self.received]
            time.sleep(0.05)
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _values(attributes) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
