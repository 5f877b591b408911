"""What an InferenceService's status says. Pure: no I/O, no clock, the same answer for the same question."""

from modelwright_operator.observed.diagnosis import pods_awaiting_volumes
from modelwright_operator.observed.events import Event, is_ready, transitions
from modelwright_operator.observed.observation import MountEvent, Observation
from modelwright_operator.observed.status import status

__all__ = ["Event", "MountEvent", "Observation", "is_ready", "pods_awaiting_volumes", "status", "transitions"]
