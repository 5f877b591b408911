"""One thing that keeps a pod from serving."""

from dataclasses import dataclass
from typing import Any, Literal

from modelwright_operator.observed.text import DETAIL_LIMIT, shortened

FailureClass = Literal["ModelLoadFailed", "RuntimeUnhealthy", "InvalidPredictorSpec"]
"""KServe's classes (`status.modelStatus.lastFailureInfo.reason`): the model did not load, or nothing got as
far."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure with its place, its cause and its remedy."""

    reason: str
    """Kubernetes' own word where it has one, such as ImagePullBackOff."""
    cause: str
    """What happened, in a clause."""
    remedy: str
    """What to do, in a clause."""
    pod: str = ""
    container: str = ""
    kind: FailureClass = "RuntimeUnhealthy"
    exit_code: int | None = None
    detail: str = ""
    """The end of the container's log, or the text of Kubernetes in full."""
    time: str | None = None
    """When it happened, where Kubernetes says so."""
    blocking: bool = True
    """Whether waiting cannot help: somebody has to change something."""

    @property
    def message(self) -> str:
        """The sentence for the condition: where, what, what to do."""
        place = [f"pod {self.pod}"] if self.pod else []
        if self.container:
            place.append(f"container {self.container}")
        where = ", ".join(place)
        return shortened(f"{where + ': ' if where else ''}{self.cause}. {self.remedy}.")

    def info(self, time: str) -> dict[str, Any]:
        """Return it as `lastFailureInfo`; `time` is used where Kubernetes gives none."""
        info: dict[str, Any] = {
            "reason": self.kind,
            "message": shortened(self.detail or self.message, DETAIL_LIMIT),
            "time": self.time or time,
        }
        if self.pod:
            info["location"] = self.pod
        if self.exit_code is not None:
            info["exitCode"] = self.exit_code
        return info
