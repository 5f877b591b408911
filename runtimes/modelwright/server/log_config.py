"""Dictionaries for logging.config, as `--log_config_file` has one, that were written for kserve.

They name uvicorn's formatters, with which kserve serves and we do not: ours stand in for them.
"""

from __future__ import annotations

import http
import json
import logging
import logging.config
from pathlib import Path
from typing import Any, Final


class DefaultFormatter(logging.Formatter):
    """uvicorn.logging.DefaultFormatter: `levelprefix` is the level with its colon, padded."""

    def __init__(self, fmt: str | None = None, datefmt: str | None = None, style: Any = "%", **_: object) -> None:  # noqa: ANN401 - as logging's
        # What else it takes is about colours, which a server's log has none of.
        super().__init__(fmt, datefmt, style)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Give the line of a record."""
        record.levelprefix = f"{record.levelname + ':':<9}"
        return super().formatMessage(record)


class AccessFormatter(DefaultFormatter):
    """uvicorn.logging.AccessFormatter: `client_addr`, `request_line` and `status_code` of an access line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Give the line of a record."""
        client, method, path, version, status = record.args or ("", "", "", "", 0)
        line = f"{method} {path} HTTP/{version}"
        phrase = next((each.phrase for each in http.HTTPStatus if each == status), "")
        vars(record).update(
            client_addr=client, full_path=path, request_line=line, status_code=f"{status} {phrase}".rstrip()
        )
        return super().formatMessage(record)


_OURS: Final = {f"uvicorn.logging.{each.__name__}": each for each in (DefaultFormatter, AccessFormatter)}


def apply_file(file: Path) -> None:
    """Configure logging as a file says.

    Raises:
        OSError, ValueError: it cannot be read, or is no such dictionary.

    """
    apply(_read(file))


def apply(dictionary: dict[str, Any]) -> None:
    """Configure logging. Raises ValueError for what is no configuration."""
    formatters = {
        name: {**each, "()": _OURS[each["()"]]} if each.get("()") in _OURS else each
        for name, each in dictionary.get("formatters", {}).items()
    }
    logging.config.dictConfig({**dictionary, "formatters": formatters})


def _read(file: Path) -> dict[str, Any]:
    if file.suffix == ".json":
        return dict(json.loads(file.read_text()))
    # Only who has a YAML configuration pays for the parser.
    try:
        import yaml  # noqa: PLC0415
    except ImportError:
        raise ValueError(f"--log_config_file {file}: install pyyaml, or write the file as JSON") from None
    return dict(yaml.safe_load(file.read_text()))
