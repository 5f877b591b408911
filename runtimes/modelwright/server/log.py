"""What the server logs: plain lines or JSON, with request ids, never a payload or a header's value."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER
from modelwright.server.tracing import tracing
from modelwright.timings import Timings

LOGGER = logging.getLogger("modelwright.server")
ACCESS = logging.getLogger("modelwright.access")
# kserve's own name for the logger of this line, which log configurations refer to.
_TRACE = logging.getLogger("kserve.trace")
_PLAIN = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line; a request's id, and its span's where it is traced, stand in each line of its work."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as a line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        caller = CALLER.get()
        if caller is not None:
            line["request_id"] = caller.request_id
        line |= tracing.ids()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(arguments: Arguments) -> None:
    """Set up the server's, kserve's, mlserver's and uvicorn's loggers; an author's own and the root are left alone.

    Raises:
        OSError, ValueError: the file of --log_config_file cannot be read.

    """
    # Our access lines have the request id; uvicorn's are for configurations that say where they go.
    uvicorn = logging.getLogger("uvicorn.access")
    uvicorn.propagate, uvicorn.handlers = False, []
    if not arguments.configure_logging:
        return
    if arguments.log_config_file:
        # Only who has a configuration pays for its reader.
        from modelwright.server.log_config import apply_file  # noqa: PLC0415

        apply_file(Path(arguments.log_config_file))
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if arguments.log_format == "json" else logging.Formatter(_PLAIN))
    for name in ("modelwright", "kserve", "mlserver", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def access(method: str, path: str, status: int, request_id: str, seconds: float) -> None:
    """Log one request."""
    ACCESS.info("%s %s %d %.1fms requestId: %s", method, path, status, seconds * 1000, request_id)


def latency(request_id: str, timings: Timings) -> None:
    """Log one inference's latencies, as kserve does."""
    _TRACE.info(
        "requestId: %s, preprocess_ms: %.9g, explain_ms: %.9g, predict_ms: %.9g, postprocess_ms: %.9g",
        request_id,
        timings.preprocess * 1000,
        timings.explain * 1000,
        timings.predict * 1000,
        timings.postprocess * 1000,
    )
