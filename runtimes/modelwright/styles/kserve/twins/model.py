"""kserve.Model: the class that authors subclass, of today's generation and of those before it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from enum import Enum
from typing import Any

from modelwright.server.tracing import tracing
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins import context
from modelwright.styles.kserve.twins.constants.constants import EXPLAINER_BASE_URL_FORMAT, PredictorProtocol
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse

# What of a caller's headers a predictor sees: enough to trace and to authorize, nothing else.
_FORWARDABLE_HEADERS = frozenset({"x-request-id", "x-b3-traceid", "authorization", "traceparent", "tracestate"})


def append_forwardable_headers(
    headers: Mapping[str, str] | None, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return `base` and those of the caller's headers that may be passed on to a predictor or explainer."""
    passed = {key: headers[key] for key in _FORWARDABLE_HEADERS if key in headers} if headers else {}
    sent = {**(base or {}), **passed}
    tracing.forward(sent)
    return sent


def is_v2(protocol: PredictorProtocol) -> bool:
    """Tell whether it is any other than V1."""
    return protocol != PredictorProtocol.REST_V1


def get_latency_ms(start: float, end: float) -> float:
    """Return the milliseconds between two times in seconds."""
    return round((end - start) * 1000, 9)


class InferenceVerb(Enum):
    """What is asked of a model."""

    __module__ = "kserve.model"

    EXPLAIN = 1
    PREDICT = 2


class BaseKServeModel(ABC):
    """What the server needs of every model."""

    __module__ = "kserve.model"

    @abstractmethod
    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = False
        self.engine = False

    async def healthy(self) -> bool:
        """Tell whether the model can answer."""
        return self.ready

    def load(self) -> bool:
        """Load the model; overridden, it sets `self.ready`."""
        self.ready = True
        return self.ready

    def start(self) -> None:
        """Set the model up; called when the server starts."""
        self.ready = True

    async def start_engine(self) -> None:
        """Start the engine of a model that has one (`self.engine`)."""
        self.ready = True

    def stop(self) -> None:
        """Tear the model down."""
        self.ready = False

    def stop_engine(self) -> None:
        """Stop the engine."""
        self.ready = False

    def _modelwright_offers(self) -> dict[str, Any]:
        """In a Ray Serve replica: see `styles.kserve.replica`, as for the two below."""
        return _replica().offers(self)  # type: ignore[no-any-return]

    # Generators themselves: Ray takes no other method for one that yields.
    async def _modelwright_answer(self, payload: Foreign, headers: dict[str, str]) -> AsyncIterator[Foreign]:
        async for piece in _replica().answer(self, payload, headers):
            yield piece

    async def _modelwright_ask(
        self, operation: str, payload: Foreign, headers: dict[str, str]
    ) -> AsyncIterator[Foreign]:
        async for piece in _replica().ask(self, operation, payload, headers):
            yield piece


def _replica() -> Foreign:
    # It knows this module, and few models run on Ray.
    from modelwright.styles.kserve import replica  # noqa: PLC0415

    return replica


class InferenceModel(BaseKServeModel):
    """A model that answers predictions."""

    __module__ = "kserve.model"

    @abstractmethod
    def __call__(self, body: Foreign, headers: dict[str, str] | None = None, verb: InferenceVerb = ...) -> Foreign:
        """Answer one request."""

    def get_input_types(self) -> list[dict[str, Any]]:
        """Return the inputs as model metadata has them; overridden by authors who declare them."""
        return []

    def get_output_types(self) -> list[dict[str, Any]]:
        """Return the outputs as model metadata has them; overridden by authors who declare them."""
        return []


class Model(InferenceModel):
    """A model of handlers: preprocess, predict or explain, postprocess; any of them overridden, sync or async."""

    __module__ = "kserve.model"

    def __init__(
        self,
        name: str,
        return_response_headers: bool | PredictorConfig | None = False,
        predictor_config: PredictorConfig | bool | None = None,
    ) -> None:
        super().__init__(name)
        # kserve 0.12 to 0.15 had predictor_config in the second place and return_response_headers in the third.
        if isinstance(return_response_headers, PredictorConfig) or isinstance(predictor_config, bool):
            return_response_headers, predictor_config = predictor_config, return_response_headers
        self._own_predictor = predictor_config if isinstance(predictor_config, PredictorConfig) else None
        self.required_response_headers = bool(return_response_headers)
        self.explainer_host: str | None = None
        self.enable_latency_logging = False

    @property
    def predictor_config(self) -> PredictorConfig | None:
        """The predictor that this model calls: its own, as older code sets it, or the server's."""
        # Up to 0.11 a transformer assigned these in its constructor.
        own = self.__dict__
        if own.get("predictor_host"):
            return PredictorConfig(
                own["predictor_host"],
                own.get("protocol") or "v1",
                bool(own.get("use_ssl")),
                int(own.get("timeout") or 600),
            )
        return own.get("_own_predictor") or context.get_predictor_config()

    async def __call__(
        self, body: Foreign, headers: dict[str, str] | None = None, verb: InferenceVerb = InferenceVerb.PREDICT
    ) -> Foreign:
        """Answer one request in this task: (response, response headers). The server itself uses threads."""
        from modelwright.styles.kserve.handlers import Chain  # noqa: PLC0415 - it imports this module
        from modelwright.styles.kserve.inline import inline  # noqa: PLC0415

        return await Chain(self).run(inline, body, headers, explain=InferenceVerb(verb) is InferenceVerb.EXPLAIN)

    def validate(self, payload: Foreign) -> Foreign:
        """Return a payload that is right for the protocol; raises InvalidInput for one that is not."""
        config = self.predictor_config
        if config is None or not isinstance(payload, dict):
            return payload
        field = {"v1": "instances", "v2": "inputs"}.get(config.protocol)
        if field in payload and not isinstance(payload[field], list):
            raise InvalidInput(f'Expected "{field}" to be a list')
        return payload

    def load(self) -> bool:
        """Load the model; overridden, it sets `self.ready`."""
        self.ready = True
        return self.ready

    async def preprocess(self, payload: Foreign, headers: Foreign = None) -> Foreign:
        """Turn a request into what `predict` takes: as it is unless overridden."""
        return payload

    async def postprocess(self, result: Foreign, headers: Foreign = None, response_headers: Foreign = None) -> Foreign:
        """Turn a prediction into the answer: as it is unless overridden."""
        return result

    async def predict(self, payload: Foreign, headers: Foreign = None, response_headers: Foreign = None) -> Foreign:
        """Ask the predictor, as a transformer does; overridden by models that predict themselves.

        Raises NotImplementedError where there is no predictor to ask.
        """
        config = self.predictor_config
        if config is None:
            raise NotImplementedError("Could not find PredictorConfig.")
        if not config.predictor_host:
            raise NotImplementedError("Could not find predictor_host.")
        if config.protocol == PredictorProtocol.GRPC_V2.value:
            return await self._grpc_predict(payload, headers)
        return await self._http_predict(payload, headers, response_headers)

    async def _http_predict(
        self, payload: Foreign, headers: dict[str, str] | None = None, response_headers: dict[str, str] | None = None
    ) -> dict[str, Any] | InferResponse:
        from modelwright.styles.kserve import predictor  # noqa: PLC0415 - only transformers need it

        sent = append_forwardable_headers(headers, {"content-type": "application/json"})
        answer: dict[str, Any] | InferResponse = await predictor.over_rest(
            self._predictor(), self.name, payload, sent, response_headers
        )
        return answer

    async def _grpc_predict(self, payload: Foreign, headers: dict[str, str] | None = None) -> InferResponse:
        from modelwright.styles.kserve import predictor  # noqa: PLC0415 - only transformers need it

        request = payload if isinstance(payload, InferRequest) else InferRequest.from_grpc(payload)
        return await predictor.over_grpc(self._predictor(), request, append_forwardable_headers(headers))

    def _predictor(self) -> PredictorConfig:
        config = self.predictor_config
        if config is None:
            raise RuntimeError("PredictorConfig is required to call a predictor but is None.")
        return config

    async def explain(self, payload: Foreign, headers: Foreign = None) -> Foreign:
        """Ask the explainer at `explainer_host`; overridden by models that explain themselves.

        Raises NotImplementedError where there is none to ask.
        """
        if self.explainer_host is None:
            raise NotImplementedError("Could not find explainer_host.")
        from modelwright.styles.kserve import predictor  # noqa: PLC0415 - only this needs it

        config = self.predictor_config
        scheme = "https" if config is not None and config.use_ssl else "http"
        sent = append_forwardable_headers(headers, {"content-type": "application/json"})
        return await predictor.explain(
            EXPLAINER_BASE_URL_FORMAT.format(scheme, self.explainer_host), self.name, payload, sent
        )
