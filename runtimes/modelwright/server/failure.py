"""An exception of the author's: its traceback for the log, and a word for the caller on where to look for it."""

from __future__ import annotations

import sys

from modelwright.errors import InferenceError
from modelwright.server import log
from modelwright.server.tracing import tracing


class ModelFailed(InferenceError):
    """The author's code raised (500); `request_id` is what its traceback stands under in the log."""

    def __init__(self, request_id: str) -> None:
        super().__init__("the model failed on this request; its server's log has the reason under this request id")
        self.request_id = request_id


def failed(where: str, request_id: str) -> ModelFailed:
    """Log the exception in hand, whole, and give what the caller is told instead."""
    tracing.record(sys.exception())
    log.LOGGER.exception("%s failed, requestId: %s", where, request_id)
    return ModelFailed(request_id)
