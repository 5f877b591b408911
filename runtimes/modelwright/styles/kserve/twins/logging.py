"""kserve.logging: the loggers `kserve` and `kserve.trace`, and how they are configured."""

from __future__ import annotations

import json
import logging
import logging.config
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


KSERVE_LOG_CONFIG: dict[str, Any] = {
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

logger = logging.getLogger(KSERVE_LOGGER_NAME)
trace_logger = logging.getLogger(KSERVE_TRACE_LOGGER_NAME)


def configure_logging(log_config: dict[str, Any] | str | None = None) -> None:
    """Configure logging from a dict or a file (.json, .yaml, else `logging.config`'s ini form).

    With None, KServe's own format is used unless the author has configured logging already.
    """
    if log_config is None:
        if not logger.hasHandlers():
            logging.config.dictConfig(KSERVE_LOG_CONFIG)
    elif isinstance(log_config, dict):
        logging.config.dictConfig(log_config)
    elif log_config.endswith(".json"):
        logging.config.dictConfig(json.loads(Path(log_config).read_text(encoding="utf-8")))
    elif log_config.endswith((".yaml", ".yml")):
        # Asked for by few: the parser is imported only then.
        import yaml  # noqa: PLC0415

        logging.config.dictConfig(yaml.safe_load(Path(log_config).read_text(encoding="utf-8")))
    else:
        logging.config.fileConfig(log_config, disable_existing_loggers=False)
