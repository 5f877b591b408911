"""What should exist for an InferenceService. Pure: no I/O, no clock, the same answer for the same question.

`children` makes the objects, `ray_token` the one that is only ever created, `problems` says why there can be none,
`would_roll` whether a change restarts pods.
"""

from typing import Any

from modelwright_operator.api import InferenceService
from modelwright_operator.desired.autoscaler import autoscaler
from modelwright_operator.desired.deployment import deployment, would_roll
from modelwright_operator.desired.head_service import head_service
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.network_policy import network_policies
from modelwright_operator.desired.pod import pod_template
from modelwright_operator.desired.problem import Problem
from modelwright_operator.desired.problems import problems
from modelwright_operator.desired.ray import ray
from modelwright_operator.desired.ray_token import token_secret
from modelwright_operator.desired.route import routes
from modelwright_operator.desired.service import service
from modelwright_operator.desired.subject import Subject
from modelwright_operator.desired.worker import workers_deployment
from modelwright_operator.settings import Settings

__all__ = ["Inputs", "Problem", "children", "problems", "ray_token", "would_roll"]


def children(isvc: InferenceService, settings: Settings, inputs: Inputs) -> list[dict[str, Any]]:
    """Return every object that should exist, in the order in which to apply them; none for a stopped service.

    Call it only when `problems` finds nothing.
    """
    subject = Subject(isvc)
    if subject.stopped:
        return []
    scaled = [autoscaler(subject)] if subject.autoscaler_class == "hpa" else []
    # The Service first: pods find its address in their environment and DNS from the start.
    return [service(subject), *_pods(subject, settings, inputs), *scaled, *routes(subject, settings)]


def _pods(subject: Subject, settings: Settings, inputs: Inputs) -> list[dict[str, Any]]:
    if subject.workers is None:
        return [deployment(subject, pod_template(subject, settings, inputs), settings)]
    spans = ray(subject, settings, inputs)
    return [
        *network_policies(subject),
        head_service(subject, spans.revision),
        deployment(subject, spans.head, settings),
        workers_deployment(subject, spans.worker, settings),
    ]


def ray_token(isvc: InferenceService, token: str) -> dict[str, Any] | None:
    """Return the Secret that the pods of a model with workers need, None for any other."""
    subject = Subject(isvc)
    return token_secret(subject, token) if subject.workers and not subject.stopped else None
