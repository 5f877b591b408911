"""What goes wrong while weights are fetched, told with the remedy and without a secret."""

import re

_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_QUERY = re.compile(r"(://[^\s?#\"']+)\?[^\s#\"')\]]*")


def redact(text: str) -> str:
    """Return `text` with the userinfo and the query of every URL in it removed: presigned URLs sign there."""
    return _QUERY.sub(r"\1?<redacted>", _USERINFO.sub("<redacted>@", text))


class WeightsError(Exception):
    """A URI that cannot be fetched: which one, why, and what to do about it. Safe to log.

    Its text names the URI (redacted), the reason and the remedy. It ends up in the init container's
    termination message, from where the InferenceService's status takes it.
    """

    def __init__(self, uri: str, reason: str, remedy: str) -> None:
        self.uri = redact(uri)
        self.reason = redact(reason)
        self.remedy = redact(remedy)
        super().__init__(f"{self.uri}: {self.reason}. {self.remedy}")


class InterruptedTransferError(Exception):
    """A transfer that broke off for a passing reason (reset, stall, 5xx): worth another attempt."""
