"""`nos.logging`: the logger that authors' files import."""

import logging

logger = logging.getLogger("nos")
