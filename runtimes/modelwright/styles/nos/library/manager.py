"""`nos.manager`, which NOS's document imports from, and a manager for who has made none."""

from modelwright.styles.nos.library.managers.model import ModelHandle, ModelManager

__all__ = ["ModelHandle", "ModelManager", "manager"]

# The document calls `manager.load(spec)` below the comment "Create a model manager", and creates none.
manager = ModelManager()
