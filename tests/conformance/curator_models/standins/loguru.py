"""The logger that Curator's files import."""

import logging

logger = logging.getLogger("loguru")
