"""Readiness that asks the predictor too, as `--enable_predictor_health_check` of kserve's server has it."""

from __future__ import annotations

import http
import http.client
import threading
from collections.abc import Callable
from typing import Any, Final

from modelwright.model import Execution, Model
from modelwright.server.wrapped import WrappedModel
from modelwright.styles.kserve.predictor import channel, status_of
from modelwright.styles.kserve.twins.logging import logger
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig

# A probe is answered from what was heard last: it never waits for a predictor that hangs.
_SECONDS_BETWEEN: Final = 2.0
_SECONDS_TO_ANSWER: Final = 5.0


class WatchedPredictor(WrappedModel):
    """A transformer that is ready while its predictor's model is."""

    def __init__(self, model: Model, config: PredictorConfig) -> None:
        super().__init__(model)
        self._asks = _asks(config, model.name)
        self._predictor_ready = False
        self._watch: threading.Thread | None = None

    @property
    def ready(self) -> bool:
        """Whether the transformer is ready and, once it serves, its predictor's last answer said the same."""
        return self._model.ready and (self._watch is None or self._predictor_ready)

    @ready.setter
    def ready(self, value: bool) -> None:
        self._model.ready = value

    def bind(self, execution: Execution) -> None:
        """Bind the model, and ask its predictor from now on. A worker does so after the fork, which keeps no thread."""
        super().bind(execution)
        if self._watch is None:
            self._watch = threading.Thread(target=self._ask_on, name="predictor-health", daemon=True)
            self._watch.start()

    def _ask_on(self) -> None:
        pause = threading.Event()
        while True:
            answer, why = self._asked()
            if answer != self._predictor_ready:
                logger.info("the predictor of %r is %s", self.name, "ready" if answer else f"not ready: {why}")
            self._predictor_ready = answer
            pause.wait(_SECONDS_BETWEEN)

    def _asked(self) -> tuple[bool, str]:
        try:
            return self._asks(), "it says so itself"
        except (OSError, http.client.HTTPException) as error:
            return False, f"it cannot be reached ({type(error).__name__})"


def _asks(config: PredictorConfig, model: str) -> Callable[[], bool]:
    if config.protocol == "grpc-v2":
        return lambda: _over_grpc(config, model)
    path = f"/v2/models/{model}/ready" if config.protocol == "v2" else f"/v1/models/{model}"
    return lambda: status_of(config.predictor_base_url + path, _SECONDS_TO_ANSWER) == http.HTTPStatus.OK


def _over_grpc(config: PredictorConfig, model: str) -> bool:
    import grpc  # noqa: PLC0415 - only transformers with a gRPC predictor need it

    from modelwright.codecs.proto import open_inference_grpc_pb2 as pb  # noqa: PLC0415

    with channel(grpc, config) as connected:
        ready: Any = connected.unary_unary(
            "/inference.GRPCInferenceService/ModelReady",
            request_serializer=pb.ModelReadyRequest.SerializeToString,
            response_deserializer=pb.ModelReadyResponse.FromString,
        )
        try:
            return bool(ready(pb.ModelReadyRequest(name=model), timeout=_SECONDS_TO_ANSWER).ready)
        except grpc.RpcError as error:
            raise ConnectionError(str(error.code())) from error
