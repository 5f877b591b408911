"""What the reconciler saw of an InferenceService's children in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Problem(Protocol):
    """One reason why nothing can be made of the InferenceService; `desired.Problem` is one."""

    @property
    def field(self) -> str:
        """The field at fault, as a path from the object's root."""

    @property
    def message(self) -> str:
        """What is wrong with it and the remedy."""

    @property
    def reason(self) -> str:
        """In one word."""

    @property
    def blocking(self) -> bool:
        """Whether waiting cannot help."""


@dataclass(frozen=True)
class MountEvent:
    """What the kubelet, or the controller that attaches volumes, last said of a pod's volumes."""

    reason: str
    """FailedMount or FailedAttachVolume."""
    message: str
    """Its own words."""


@dataclass(frozen=True)
class Observation:
    """One consistent view.

    The Deployment should be the newest that is known, the answer to an apply included, so that a change that was just
    applied shows as a generation that the Deployment controller has not seen yet.
    """

    children: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """The live children by kind and name."""

    pods: Sequence[Mapping[str, Any]] = ()
    """The pods that carry the predictor's label."""

    workers: Sequence[Mapping[str, Any]] = ()
    """The pods of `workerSpec`."""

    mount_events: Mapping[str, MountEvent] = field(default_factory=dict)
    """By pod name, for those that were asked about; one of a pod that has moved on is ignored."""

    problems: Sequence[Problem] = ()
    """What made the reconciler apply nothing."""

    previous: Mapping[str, Any] = field(default_factory=dict)
    """The status that is stored."""

    outdated_images: Sequence[str] = ()
    """What is said of images whose newest build failed, so that the one before serves on."""

    reconcile_error: str | None = None
    """Why the last apply failed, in words for the user."""
