"""Routes of an author's own."""

from modelwright.styles.mlserver.library.handlers.custom import CustomHandler, custom_handler, get_custom_handlers

__all__ = ["CustomHandler", "custom_handler", "get_custom_handlers"]
