"""`settings.json` and `MLSERVER_*` as arguments of our server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.server import log
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.mlserver import defaults
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.environment import environment
from modelwright.styles.mlserver.library.settings import Settings

FILE: Final = "settings.json"
_SAME: Final = ("host", "http_port", "grpc_port")
# What MLServer has and this server has in another way, or not: said when it is set to something else than its default.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "metrics_port": "metrics are on /metrics of the HTTP port",
    "metrics_endpoint": "metrics are on /metrics of the HTTP port",
    "root_path": "routes are served from the root; let the ingress take the prefix off",
    "cors_settings": "no CORS headers are sent; let the ingress send them",
    "cache_enabled": "answers are not cached",
    "tracing_server": "set OTEL_EXPORTER_OTLP_ENDPOINT in the environment",
    "load_models_at_startup": "models are loaded at the start; see --admin_port for unloading them",
    "model_repository_implementation": "models are found by their model-settings.json",
}


@dataclass(frozen=True, slots=True)
class Server:
    """What MLServer's settings say: its name, and what they make of our arguments."""

    name: str
    arguments: Mapping[str, Any]


def read(folder: Path) -> Server:
    """Read `settings.json`, and the environment where that does not say.

    Raises:
        DiscoveryError: the file is no JSON, or a field is not what MLServer's documents say or cannot be had here.

    """
    path = folder / FILE
    document = defaults.weaker(document_of(path), folder, "MLSERVER_") if path.is_file() else {}
    try:
        settings: Foreign = Settings.model_validate(document)
    except ValueError as error:
        raise DiscoveryError(f"{path if document else 'MLSERVER_* in the environment'}: {error}") from None
    if settings.kafka_enabled:
        raise DiscoveryError(f"{path}: kafka_enabled: this server takes no requests from Kafka; set it to false")
    usual = {name: default for name, (_, default) in Settings.DEFAULTS.items()}
    for field, instead in _ELSEWHERE.items():
        if getattr(settings, field) != usual[field]:
            log.LOGGER.warning("%s of MLServer's settings has no effect: %s", field, instead)
    given = {name for name in usual if name in document or f"MLSERVER_{name.upper()}" in environment()}
    return Server(settings.server_name, dict(_arguments(settings, given)))


def _arguments(settings: Foreign, given: set[str]) -> Iterator[tuple[str, Any]]:
    yield from ((name, getattr(settings, name)) for name in _SAME if name in given)
    if "parallel_workers" in given:
        # MLServer's 0 is no process besides its own; its own takes the requests either way.
        yield "workers", max(1, settings.parallel_workers)
    if settings.grpc_max_message_length is not None and settings.grpc_max_message_length > 0:
        yield "grpc_max_send_message_length", settings.grpc_max_message_length
        yield "grpc_max_receive_message_length", settings.grpc_max_message_length
    if settings.use_structured_logging:
        yield "log_format", "json"
    if isinstance(settings.logging_settings, str):
        yield "log_config_file", settings.logging_settings


def document_of(path: Path) -> dict[str, Any]:
    """Return a JSON file's object.

    Raises:
        DiscoveryError: it holds none.

    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DiscoveryError(f"{path} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise DiscoveryError(f"{path} must hold a JSON object")
    return document
