"""What should exist for an InferenceService. Pure: no I/O, no clock, the same answer for the same question.

`children` makes the objects, `problems` says why there can be none, `would_roll` whether a change restarts
pods.
"""

from typing import Any

from modelwright_operator.api import InferenceService
from modelwright_operator.desired.autoscaler import autoscaler
from modelwright_operator.desired.deployment import deployment, would_roll
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.problems import Problem, problems
from modelwright_operator.desired.route import routes
from modelwright_operator.desired.service import service
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

__all__ = ["Inputs", "Problem", "children", "problems", "would_roll"]


def children(isvc: InferenceService, settings: Settings, inputs: Inputs) -> list[dict[str, Any]]:
    """Return every object that should exist, in the order in which to apply them; none for a stopped service.

    Call it only when `problems` finds nothing.
    """
    subject = Subject(isvc)
    if subject.stopped:
        return []
    scaled = [autoscaler(subject)] if subject.autoscaler_class == "hpa" else []
    # The Service first: pods find its address in their environment and DNS from the start.
    return [service(subject), deployment(subject, settings, inputs), *scaled, *routes(subject, settings)]
