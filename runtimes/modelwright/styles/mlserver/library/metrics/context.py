"""`mlserver.register` and `mlserver.log`: histograms with the model's name and version."""

from __future__ import annotations

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.context import model_name_var, model_version_var
from modelwright.styles.mlserver.library.metrics.errors import InvalidModelContext


def register(name: str, description: str) -> Foreign:
    """Return the histogram of that name, made where there is none yet."""
    # Most models have no metrics of their own.
    from prometheus_client import Histogram  # noqa: PLC0415

    from modelwright.styles.mlserver.library.metrics.registry import REGISTRY  # noqa: PLC0415

    if name in REGISTRY:
        return REGISTRY[name]
    return Histogram(name, description, labelnames=["model_name", "model_version"], registry=REGISTRY)


def log(**metrics: float) -> None:
    """Observe values, each in the histogram of its name.

    Raises:
        InvalidModelContext: no model's code is running.

    """
    try:
        labels = {"model_name": model_name_var.get(), "model_version": model_version_var.get()}
    except LookupError:
        raise InvalidModelContext from None
    for name, value in metrics.items():
        register(name, f"{name}, logged by the model").labels(**labels).observe(value)
