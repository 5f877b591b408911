"""Typed fields of the predictor as arguments of the model server, by the names that KServe's server accepts."""

from typing import Any

from modelwright_operator.api import SERVER_FIELDS, Batching, PredictorSpec


def server_arguments(predictor: PredictorSpec) -> list[str]:
    """Return the arguments for the typed fields that are set, in a fixed order.

    gRPC needs no `--enable_grpc`: KServe's server has it on by default since 0.9, and an author who turned
    it off in `args` means it.
    """
    batching = predictor.batching or Batching()
    values = {
        "workers": predictor.workers,
        "httpPort": predictor.http_port,
        "grpcPort": predictor.grpc_port,
        "maxAsyncioWorkers": predictor.max_asyncio_workers,
        "enableLatencyLogging": predictor.enable_latency_logging,
        "batching.maxBatchSize": batching.max_batch_size,
        "batching.maxLatency": batching.max_latency,
        "batching.timeout": batching.timeout,
    }
    return [f"{SERVER_FIELDS[field]}={_written(value)}" for field, value in values.items() if value is not None]


def _written(value: int | bool) -> str:
    return str(value).lower()


def argument_value(container: dict[str, Any], name: str) -> str | None:
    """Return the value of an argument that the author wrote in `args` or `command`, the last one where repeated."""
    words = [str(word) for field in ("command", "args") for word in container.get(field) or []]
    found: str | None = None
    for index, word in enumerate(words):
        if word.startswith(f"{name}="):
            found = word.split("=", 1)[1]
        elif word == name and index + 1 < len(words):
            found = words[index + 1]
    return found
