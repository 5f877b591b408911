"""The Deployment that runs the predictor's pods."""

from typing import Any

from modelwright_operator.desired.autoscaler import replica_range
from modelwright_operator.desired.canonical import stored_form
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

# Decision: how a new version replaces the old one without a dropped request.
#   Context: KServe's Deployments carry 25% / 25%, and its users report requests lost in rollouts.
#   Decision: the same numbers. Kubernetes rounds maxUnavailable down and maxSurge up, so up to three
#   replicas one new pod must be ready before one old pod goes; from four on a quarter may be missing while
#   the others carry the load. What loses requests is not the numbers: a pod was called ready before its
#   model had loaded (see probes.py), or it stopped while callers still had its address (see the preStop
#   hook in container.py, and terminationGracePeriodSeconds in pod.py, which leaves time for both the hook
#   and the requests under way). Consequence: a rollout needs room for one pod more. Where there is none,
#   for instance with one GPU, `deploymentStrategy: {type: Recreate}` is the author's choice, and it wins.
ROLLING_UPDATE = {
    "type": "RollingUpdate",
    "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
}


def deployment(subject: Subject, template: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the predictor's Deployment for its pod template.

    `replicas` is left to the autoscaler, whose decision an applied number would undo; without one (class
    `none`) it is the author's `minReplicas`.
    """
    spec: dict[str, Any] = {
        "selector": {"matchLabels": subject.selector},
        "template": template,
        "strategy": stored_form(subject.predictor.deployment_strategy or ROLLING_UPDATE),
        "progressDeadlineSeconds": settings.progress_deadline_seconds,
    }
    if subject.autoscaler_class == "none":
        spec["replicas"] = replica_range(subject)[0]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": subject.object_metadata(subject.component_name),
        "spec": spec,
    }


def would_roll(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Return whether applying the Deployment `new` over `old`, both as rendered here, replaces running pods."""
    return bool(old["spec"]["template"] != new["spec"]["template"])
