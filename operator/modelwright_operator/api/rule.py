"""One CEL rule of the schema, and what a user reads when it does not hold."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition that has to hold, the message when it does not, and the field that the message is about."""

    rule: str
    message: str
    field: str | None = None
    """The offending field below the rule's own node, as a JSON path such as `.containers`. None: the node
    itself."""
    for_new: bool = False
    """Whether the rule holds for what is new alone, so that an object stored under KServe's own CRD can still be
    labelled, reported on and deleted."""

    def render(self) -> dict[str, Any]:
        """Return the entry for x-kubernetes-validations."""
        rendered: dict[str, Any] = {"rule": self.rule, "message": self.message}
        if self.for_new:
            rendered |= {"rule": f"oldSelf.hasValue() || ({self.rule})", "optionalOldSelf": True}
        return rendered | ({"fieldPath": self.field} if self.field else {})
