"""MLServer's logger, which authors log to."""

import logging

LoggerName = "mlserver"
logger = logging.getLogger(LoggerName)


def get_logger() -> logging.Logger:
    """Return MLServer's logger."""
    return logger
