"""What the server logs: plain lines or JSON, with request ids, never a payload or a header's value."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER
from modelwright.server.tracing import tracing
from modelwright.timings import Timings

if TYPE_CHECKING:
    from modelwright.server.rest.access_format import AccessFormat
    from modelwright.server.rest.wire.request import Request

LOGGER = logging.getLogger("modelwright.server")
_ACCESS = logging.getLogger("modelwright.access")
# kserve's own name for the logger of this line, which log configurations refer to.
_TRACE = logging.getLogger("kserve.trace")
# What kserve serves with writes its access lines there, and so do we for configurations that say where they go.
_UVICORN = logging.getLogger("uvicorn.access")
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
        OSError, ValueError: the file of --log_config_file cannot be read, or --access_log_format is none.

    """
    # Ours has the request id; uvicorn's is for those who ask for it.
    _UVICORN.propagate, _UVICORN.handlers = False, []
    access_format(arguments)
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
    _ACCESS.info("%s %s %d %.1fms requestId: %s", method, path, status, seconds * 1000, request_id)


def writes_as_uvicorn() -> bool:
    """Whether a configuration says where uvicorn's access lines go."""
    return _UVICORN.hasHandlers()


def access_as_uvicorn(request: "Request", status: int) -> None:
    """Log one request as uvicorn does, whose formatters take the arguments apart."""
    client = ":".join(map(str, request.client)) if request.client is not None else ""
    path = quote(request.path) + (f"?{request.query.decode('latin-1')}" if request.query else "")
    _UVICORN.info('%s - "%s %s HTTP/%s" %d', client, request.method, path, request.version, status)


def access_format(arguments: Arguments) -> "AccessFormat | None":
    """Give the format of `access_line`, None where none was asked for. Raises ValueError for one that is no good."""
    if not arguments.access_log_format:
        return None
    from modelwright.server.rest.access_format import AccessFormat  # noqa: PLC0415

    return AccessFormat(arguments.access_log_format)


def access_line(line: str) -> None:
    """Log one request, in the words of --access_log_format."""
    _ACCESS.info("%s", line)


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
