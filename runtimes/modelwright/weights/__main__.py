"""`python -m modelwright.weights URI TARGET`: what the init container runs."""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from modelwright.weights.errors import WeightsError, redact
from modelwright.weights.fetch import fetch
from modelwright.weights.selection import Selection

log = logging.getLogger("modelwright.weights")

_TERMINATION_LOG = Path("/dev/termination-log")
_MESSAGE_MAX = 1024
"""Characters; Kubernetes keeps 4096 bytes of it, shared by all containers of the pod."""


def main(arguments: list[str] | None = None) -> int:
    """Fetch and return the exit code: 0 done, 1 failed for the reason logged, 2 wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m modelwright.weights", description="Fetch a model's files from a URI into a folder."
    )
    parser.add_argument("uri", help="s3://, gs://, https://, http://, hf:// or file://")
    parser.add_argument("target", type=Path, help="the folder to fill, e.g. /mnt/models")
    parser.add_argument("--only", action="append", default=[], metavar="FILE", help="a file or pattern to fetch")
    parser.add_argument("--without", action="append", default=[], metavar="FILE", help="a file or pattern to leave out")
    parser.add_argument("--packed", action="store_true", help="leave a single archive as it is")
    options = parser.parse_args(arguments)
    selection = Selection(tuple(options.only), tuple(options.without))
    _configure_log()
    # As the container's first process we get no default action for SIGTERM; what is on disk can be continued.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    os.umask(0o022)
    try:
        fetch(options.uri, options.target, os.environ, selection, unpack=not options.packed)
    except WeightsError as error:
        return _failed(str(error))
    except Exception as error:
        # A bug of ours or of a client: its traceback could hold a signed URL, so only its text is shown.
        return _failed(redact(f"{options.uri}: {type(error).__name__}: {error}"))
    return 0


class _Redacting(logging.Formatter):
    """Redacts whatever is logged: clients log the signed URLs that they are redirected to."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _configure_log() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    log.setLevel(logging.INFO)


def _shortened(message: str) -> str:
    """Return the message with its middle cut out where it is too long: the URI is first, the remedy last."""
    if len(message) <= _MESSAGE_MAX:
        return message
    half = (_MESSAGE_MAX - 3) // 2
    return f"{message[:half]}...{message[-half:]}"


def _failed(message: str) -> int:
    log.error(message)
    if _TERMINATION_LOG.exists():
        try:
            _TERMINATION_LOG.write_text(_shortened(message))
        except OSError as error:
            log.warning("%s: %s", _TERMINATION_LOG, error.strerror)
    return 1


if __name__ == "__main__":
    sys.exit(main())
