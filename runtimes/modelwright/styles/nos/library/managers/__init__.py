"""`nos.managers`."""

from modelwright.styles.nos.library.managers.model import ModelHandle, ModelManager

__all__ = ["ModelHandle", "ModelManager"]
