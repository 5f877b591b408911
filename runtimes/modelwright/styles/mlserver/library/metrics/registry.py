"""The registry of authors' metrics. Importing it imports prometheus_client."""

from __future__ import annotations

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from modelwright.styles.mlserver.library.metrics.errors import MetricNotFound


class MetricsRegistry(CollectorRegistry):
    """A registry that gives back the metrics that it has."""

    def exists(self, metric_name: str) -> bool:
        """Say whether there is a metric of that name."""
        return metric_name in self._names_to_collectors

    def get(self, metric_name: str) -> MetricWrapperBase:
        """Return a metric.

        Raises:
            MetricNotFound: there is none.

        """
        collector = self._names_to_collectors.get(metric_name)
        if not isinstance(collector, MetricWrapperBase):
            raise MetricNotFound(metric_name, collector)
        return collector

    __getitem__ = get
    __contains__ = exists


REGISTRY = MetricsRegistry(auto_describe=True)
# What the server exposes: MLServer itself forgets this where there are no workers.
prometheus_client.REGISTRY.register(REGISTRY)
