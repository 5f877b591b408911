"""kserve.context: the predictor that transformers of this process call."""

from __future__ import annotations

from modelwright.styles.kserve.twins.predictor_config import PredictorConfig

_config: PredictorConfig | None = None


def set_predictor_config(config: PredictorConfig | None) -> None:
    """Name the predictor for every model of this process; ModelServer does so.

    The genuine one is a context variable, which a request's thread would not see; here it is the process's.
    """
    global _config  # noqa: PLW0603 - one server a process, one predictor
    _config = config


def get_predictor_config() -> PredictorConfig | None:
    """Return what ModelServer set, or None before there is one."""
    return _config
