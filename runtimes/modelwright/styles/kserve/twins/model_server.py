"""kserve.ModelServer: what entry points start, handing their models to this server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelwright.server import arguments
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins import context, logging
from modelwright.styles.kserve.twins.logging import logger
from modelwright.styles.kserve.twins.model import BaseKServeModel
from modelwright.styles.kserve.twins.model_repository import ModelRepository
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig

parser = arguments.parser()
args, _ = parser.parse_known_args()


class ModelServer:
    """The arguments of a server; each that is given here comes before the command line's."""

    __module__ = "kserve.model_server"

    def __init__(  # noqa: PLR0913, PLR0917 - kserve's own arguments
        self,
        http_port: int = args.http_port,
        grpc_port: int = args.grpc_port,
        workers: int = args.workers,
        max_threads: int = args.max_threads,
        max_asyncio_workers: int | None = args.max_asyncio_workers,
        registered_models: ModelRepository | None = None,
        enable_grpc: bool = args.enable_grpc,
        enable_docs_url: bool = args.enable_docs_url,
        enable_latency_logging: bool = args.enable_latency_logging,
        access_log_format: str | None = args.access_log_format,
        event_loop: str = args.event_loop,
        timeout_keep_alive: int = args.timeout_keep_alive,
        grace_period: float = args.grace_period,
        predictor_config: PredictorConfig | None = None,
        ssl_certfile: str | None = args.ssl_certfile,
        ssl_keyfile: str | None = args.ssl_keyfile,
    ) -> None:
        self.registered_models = ModelRepository() if registered_models is None else registered_models
        self.http_port = http_port
        self.grpc_port = grpc_port
        self.workers = workers
        self.max_threads = max_threads
        self.max_asyncio_workers = max_asyncio_workers
        self.enable_grpc = enable_grpc
        self.enable_docs_url = enable_docs_url
        self.enable_latency_logging = enable_latency_logging
        self.access_log_format = access_log_format
        self.event_loop = event_loop
        self.timeout_keep_alive = timeout_keep_alive
        self.grace_period = grace_period
        self.ssl_certfile = ssl_certfile
        self.ssl_keyfile = ssl_keyfile
        if args.configure_logging:
            logging.configure_logging(args.log_config_file)
        context.set_predictor_config(predictor_config or _predictor(args))

    def register_model(self, model: BaseKServeModel, name: str | None = None) -> None:
        """Serve a model under its own name or another; raises ValueError for a model without a name."""
        if not model.name:
            raise ValueError("Failed to register model, model.name must be provided.")
        self.registered_models.update(model, name or model.name)
        logger.info("Registering model: %s", name or model.name)

    def register_exception_handler(self, handler: Callable[[Any, dict[str, Any]], None]) -> None:
        """Say that the handler is not called: the loop is the server's, which logs what goes wrong on it itself."""
        logger.warning("register_exception_handler: %r is not called; the server logs its loop's errors", handler)

    def default_exception_handler(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error on a loop of the author's."""
        logger.error("Caught exception: %s", context.get("exception", context.get("message")))
        loop.default_exception_handler(context)

    def stop(self, sig: int = signal.SIGTERM) -> None:
        """Stop the server as a signal does: it drains, unloads its models and ends."""
        os.kill(os.getpid(), sig)

    def start(self, models: Sequence[BaseKServeModel] | Mapping[str, Any]) -> None:
        """Serve the models, a list, or by name as up to 0.13 (instances, classes, Ray deployments), until SIGTERM.

        Raises RuntimeError for something that is no kserve model, NoModelReady where there is none at all.
        """
        # It adapts models, and so knows this package.
        from modelwright.styles.kserve import launch  # noqa: PLC0415

        for name, model in launch.named(models, args.ray_address):
            if not isinstance(model, BaseKServeModel):
                raise RuntimeError("Model type should be 'BaseKServeModel'")
            if name != model.name:
                logger.warning("model %r is served as %r, the name that start() was given", model.name, name)
            self.register_model(model, name)
            setattr(model, "enable_latency_logging", self.enable_latency_logging)  # noqa: B010 - not every kind has it
        launch.serve(self.registered_models.get_models(), vars(args) | self._overrides())

    def _overrides(self) -> dict[str, Any]:
        names = (
            "http_port", "grpc_port", "workers", "max_threads", "max_asyncio_workers", "enable_grpc",
            "enable_docs_url", "enable_latency_logging", "access_log_format", "event_loop", "timeout_keep_alive",
            "grace_period", "ssl_certfile", "ssl_keyfile",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def _predictor(given: Foreign) -> PredictorConfig:
    # --protocol is the older spelling of --predictor_protocol.
    return PredictorConfig(
        given.predictor_host,
        given.predictor_protocol if given.predictor_protocol != "v1" else given.protocol,
        given.predictor_use_ssl,
        given.predictor_request_timeout_seconds,
        given.predictor_request_retries,
        given.enable_predictor_health_check,
    )
