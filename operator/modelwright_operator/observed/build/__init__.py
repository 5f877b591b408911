"""What a ModelImage's status says. Pure: no I/O, no clock, the same answer for the same question."""

from modelwright_operator.observed.build.events import build_transitions
from modelwright_operator.observed.build.outcome import JobState, job_state, message_of, pod_of
from modelwright_operator.observed.build.phases import image_digest
from modelwright_operator.observed.build.status import BuildView, build_status

__all__ = [
    "BuildView",
    "JobState",
    "build_status",
    "build_transitions",
    "image_digest",
    "job_state",
    "message_of",
    "pod_of",
]
