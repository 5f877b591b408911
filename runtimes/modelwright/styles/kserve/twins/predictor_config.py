"""kserve.PredictorConfig: where a transformer's predictor is and how to call it."""

from __future__ import annotations


class PredictorConfig:
    """The address and manner of the call; timeout in seconds."""

    __module__ = "kserve.predictor_config"

    def __init__(
        self,
        predictor_host: str | None,
        predictor_protocol: str = "v1",
        predictor_use_ssl: bool = False,
        predictor_request_timeout_seconds: int = 600,
        predictor_request_retries: int = 0,
        predictor_health_check: bool = False,
    ) -> None:
        self._predictor_host = predictor_host
        self._predictor_protocol = predictor_protocol
        self._predictor_use_ssl = predictor_use_ssl
        self._predictor_request_timeout_seconds = predictor_request_timeout_seconds
        self._predictor_request_retries = predictor_request_retries
        self._predictor_health_check = predictor_health_check

    @property
    def predictor_host(self) -> str | None:
        """Host, with its port where that is not the scheme's."""
        return self._predictor_host

    @property
    def predictor_protocol(self) -> str:
        """v1, v2 or grpc-v2."""
        return self._predictor_protocol

    @property
    def predictor_use_ssl(self) -> bool:
        """Whether the call is over TLS."""
        return self._predictor_use_ssl

    @property
    def predictor_request_timeout_seconds(self) -> int:
        """Seconds until a call is given up."""
        return self._predictor_request_timeout_seconds

    @property
    def predictor_request_retries(self) -> int:
        """How often a failed connection is tried again."""
        return self._predictor_request_retries

    @property
    def predictor_health_check(self) -> bool:
        """Whether readiness asks the predictor too."""
        return self._predictor_health_check

    @property
    def predictor_base_url(self) -> str:
        """The scheme and host of the predictor."""
        return f"{'https' if self._predictor_use_ssl else 'http'}://{self._predictor_host}"

    # The shorter names are those of kserve 0.12 to 0.15.
    protocol = predictor_protocol
    timeout = predictor_request_timeout_seconds
    retries = predictor_request_retries
    use_ssl = predictor_use_ssl
