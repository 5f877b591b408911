"""What the server logs: plain lines or JSON, with request ids, never a payload or a header's value."""

import json
import logging
import logging.config
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.model import Timings
from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER
from modelwright.server.tracing import tracing

if TYPE_CHECKING:
    from modelwright.server.rest.access_format import AccessFormat

LOGGER = logging.getLogger("modelwright.server")
_ACCESS = logging.getLogger("modelwright.access")
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
        OSError, ValueError: the file of --log_config_file cannot be read, or --access_log_format is none.

    """
    # uvicorn writes an access line wherever its logger reaches a handler; ours has the request id.
    access = logging.getLogger("uvicorn.access")
    access.propagate, access.handlers = False, []
    access_format(arguments)
    if not arguments.configure_logging:
        return
    if arguments.log_config_file:
        logging.config.dictConfig(_dictionary(Path(arguments.log_config_file)))
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if arguments.log_format == "json" else logging.Formatter(_PLAIN))
    for name in ("modelwright", "kserve", "mlserver", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def _dictionary(file: Path) -> dict[str, Any]:
    if file.suffix == ".json":
        return dict(json.loads(file.read_text()))
    # Only who has a YAML configuration pays for the parser.
    try:
        import yaml  # noqa: PLC0415
    except ImportError:
        raise ValueError(f"--log_config_file {file}: install pyyaml, or write the file as JSON") from None
    return dict(yaml.safe_load(file.read_text()))


def access(method: str, path: str, status: int, request_id: str, seconds: float) -> None:
    """Log one request."""
    _ACCESS.info("%s %s %d %.1fms requestId: %s", method, path, status, seconds * 1000, request_id)


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
