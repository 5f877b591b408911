"""Why a metric cannot be logged."""

from __future__ import annotations

from http import HTTPStatus

from modelwright.styles.mlserver.library.errors import MLServerError


class InvalidModelContext(MLServerError):
    """`mlserver.log` outside a model's `load` and `predict` (500)."""

    def __init__(self) -> None:
        super().__init__(
            "Contextual method (e.g. mlserver.log() or mlserver.register()) was called outside of a model context.",
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )


class MetricNotFound(MLServerError):
    """No metric of that name (500)."""

    def __init__(self, metric_name: str, collector: object = None) -> None:
        of = f"; {metric_name!r} is a {type(collector).__name__}" if collector else ""
        super().__init__(f"No metric found with name '{metric_name}'{of}", HTTPStatus.INTERNAL_SERVER_ERROR)
