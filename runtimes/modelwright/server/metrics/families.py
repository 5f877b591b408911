"""The metrics that the server tells, by their Prometheus names."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from itertools import product
from typing import Final, Literal

# "own": the HTTP routes that models bring themselves.
Protocol = Literal["v1", "v2", "openai", "own", "grpc"]

# The caller left before its answer was whole; nginx's number, which no standard has.
CLIENT_LEFT: Final = 499
# What is counted where a name would make series without bound.
OTHER: Final = "_other"

_HTTP_CODES: Final = (*(str(status.value) for status in HTTPStatus), str(CLIENT_LEFT), OTHER)
# https://grpc.io/docs/guides/status-codes/; the gRPC server is imported only while it is enabled.
_GRPC_CODES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED", OTHER,
)  # fmt: skip
CODES: Final[dict[Protocol, tuple[str, ...]]] = {
    "v1": _HTTP_CODES, "v2": _HTTP_CODES, "openai": _HTTP_CODES, "own": _HTTP_CODES, "grpc": _GRPC_CODES,
}  # fmt: skip
# prometheus_client's default bounds, which kserve's dashboards know, and finer and coarser ones around them.
_SECONDS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
)  # fmt: skip
_SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One metric: its name, as a sample has it, its labels, and for a histogram its buckets' upper bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    # The values of the labels after the first, which is the model's name.
    series: tuple[tuple[str, ...], ...] = ((),)

    @property
    def cells(self) -> int:
        """The numbers that one series takes: a histogram's are its buckets, each by itself, and its sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


def _seconds(name: str, text: str) -> Family:
    return Family(name, "histogram", text, ("model_name",), _SECONDS)


REQUESTS: Final = Family(
    "modelwright_requests_total",
    "counter",
    "inference requests by model, protocol (v1, v2, openai, own, grpc) and HTTP status or gRPC code",
    ("model_name", "protocol", "code"),
    series=tuple(pair for protocol, codes in CODES.items() for pair in product((protocol,), codes)),
)
REQUEST_SECONDS: Final = Family(
    "modelwright_request_seconds",
    "histogram",
    "time from a request's headers to its answer, or the last piece of one",
    ("model_name", "protocol"),
    _SECONDS,
    tuple((protocol,) for protocol in CODES),
)
IN_FLIGHT: Final = Family(
    "modelwright_requests_in_flight", "gauge", "requests in work or waiting for their turn", ("model_name",)
)
QUEUE: Final = _seconds(
    "modelwright_queue_seconds", "time that a request waited for a thread or a batch; 0 where its code ran at once"
)
# kserve's own four, with its words.
PREPROCESS: Final = _seconds("request_preprocess_seconds", "pre-process request latency")
PREDICT: Final = _seconds("request_predict_seconds", "predict request latency")
POSTPROCESS: Final = _seconds("request_postprocess_seconds", "post-process request latency")
EXPLAIN: Final = _seconds("request_explain_seconds", "explain request latency")
BATCH_SIZE: Final = Family(
    "modelwright_batch_size", "histogram", "requests that one predict answered together", ("model_name",), _SIZES
)
LOAD_SECONDS: Final = Family(
    "modelwright_model_load_seconds", "gauge", "time that the model took to load", ("model_name",)
)
PER_MODEL: Final = (
    REQUESTS, REQUEST_SECONDS, IN_FLIGHT, QUEUE, PREPROCESS, PREDICT, POSTPROCESS, EXPLAIN, BATCH_SIZE, LOAD_SECONDS,
)  # fmt: skip

WORKERS: Final = Family("modelwright_workers", "gauge", "processes that serve, now")
RESTARTS: Final = Family("modelwright_worker_restarts_total", "counter", "workers that died and were replaced")
RESIDENT: Final = Family(
    "modelwright_process_resident_memory_bytes",
    "gauge",
    "memory of one process, shared pages counted whole; main is the only one or the workers' parent",
    ("process",),
)
PROPORTIONAL: Final = Family(
    "modelwright_process_proportional_memory_bytes",
    "gauge",
    "memory of one process, shared pages divided among those that share them: the sum is the server's",
    ("process",),
)
FAMILIES: Final = (*PER_MODEL, WORKERS, RESTARTS, RESIDENT, PROPORTIONAL)
