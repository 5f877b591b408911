"""kserve.logging: the loggers `kserve` and `kserve.trace`, and how they are configured."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from modelwright.styles.kserve.twins.constants.constants import KSERVE_LOGLEVEL

KSERVE_LOGGER_NAME = "kserve"
KSERVE_TRACE_LOGGER_NAME = "kserve.trace"
KSERVE_LOGGER_FORMAT = (
    "%(asctime)s.%(msecs)03d %(process)s %(name)s %(levelname)s [%(filename)s:%(funcName)s():%(lineno)s] %(message)s"
)
KSERVE_TRACE_LOGGER_FORMAT = "%(asctime)s.%(msecs)03d %(process)s %(name)s %(message)s"
KSERVE_LOGGER_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"


def _formatter(fmt: str) -> dict[str, str]:
    return {"()": "logging.Formatter", "fmt": fmt, "datefmt": KSERVE_LOGGER_DATE_FORMAT}


def _handler(formatter: str) -> dict[str, str]:
    return {"formatter": formatter, "class": "logging.StreamHandler", "stream": "ext://sys.stderr"}


def _log_config() -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "kserve": _formatter(KSERVE_LOGGER_FORMAT),
            "kserve_trace": _formatter(KSERVE_TRACE_LOGGER_FORMAT),
        },
        "handlers": {"kserve": _handler("kserve"), "kserve_trace": _handler("kserve_trace")},
        "loggers": {
            "kserve": {"handlers": ["kserve"], "level": KSERVE_LOGLEVEL, "propagate": False},
            "kserve.trace": {"handlers": ["kserve_trace"], "level": KSERVE_LOGLEVEL, "propagate": False},
        },
    }


KSERVE_LOG_CONFIG = _log_config()

logger = logging.getLogger(KSERVE_LOGGER_NAME)
trace_logger = logging.getLogger(KSERVE_TRACE_LOGGER_NAME)


def configure_logging(log_config: dict[str, Any] | str | None = None) -> None:
    """Configure logging from a dict or a file (.json, .yaml, else `logging.config`'s ini form).

    With None, KServe's own format is used unless the author has configured logging already.
    """
    if log_config is None:
        if not logger.hasHandlers():
            _configure()
    elif isinstance(log_config, dict):
        _apply(log_config)
    elif log_config.endswith(".json"):
        _apply(json.loads(Path(log_config).read_text(encoding="utf-8")))
    elif log_config.endswith((".yaml", ".yml")):
        # Asked for by few: the parser is imported only then.
        import yaml  # noqa: PLC0415

        _apply(yaml.safe_load(Path(log_config).read_text(encoding="utf-8")))
    else:
        from logging.config import fileConfig  # noqa: PLC0415

        fileConfig(log_config, disable_existing_loggers=False)


def _configure() -> None:
    if _log_config() != KSERVE_LOG_CONFIG:
        # The author has changed it.
        _apply(KSERVE_LOG_CONFIG)
        return
    # By hand, since importing logging.config takes 5 ms of a start that is short.
    for each, fmt in ((logger, KSERVE_LOGGER_FORMAT), (trace_logger, KSERVE_TRACE_LOGGER_FORMAT)):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(fmt, KSERVE_LOGGER_DATE_FORMAT))
        each.handlers, each.propagate = [handler], False
        each.setLevel(KSERVE_LOGLEVEL)


def _apply(log_config: dict[str, Any]) -> None:
    from modelwright.server.log_config import apply  # noqa: PLC0415

    apply(log_config)
