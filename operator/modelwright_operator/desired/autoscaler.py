"""The HorizontalPodAutoscaler, which alone decides how many pods there are."""

from typing import Any

from modelwright_operator.desired.subject import Subject

DEFAULT_CPU_PERCENT = 80


def replica_range(subject: Subject) -> tuple[int, int]:
    """Return the fewest and the most replicas: at least one, and never fewest above most."""
    fewest = max(1, subject.predictor.min_replicas or 1)
    return fewest, max(fewest, subject.predictor.max_replicas or fewest)


def autoscaler(subject: Subject) -> dict[str, Any]:
    """Return the predictor's HorizontalPodAutoscaler; with one replica for both bounds too, as KServe does.

    So that a range given later needs no change to the Deployment, whose `replicas` this operator never
    writes.
    """
    fewest, most = replica_range(subject)
    metric = subject.predictor.scale_metric or "cpu"
    percent = subject.predictor.scale_target or DEFAULT_CPU_PERCENT
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": subject.object_metadata(subject.component_name),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": subject.component_name,
            },
            "minReplicas": fewest,
            "maxReplicas": most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": metric,
                        "target": {"type": "Utilization", "averageUtilization": percent},
                    },
                }
            ],
        },
    }
