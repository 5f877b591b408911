"""Metrics of an author's own, beside the server's on /metrics."""

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.metrics.context import log, register

__all__ = ["REGISTRY", "log", "register"]


def __getattr__(name: str) -> Foreign:
    """Import prometheus_client for whoever wants the registry."""
    if name == "REGISTRY":
        from modelwright.styles.mlserver.library.metrics.registry import REGISTRY  # noqa: PLC0415

        return REGISTRY
    raise AttributeError(f"module 'mlserver.metrics' has no attribute {name!r}")
