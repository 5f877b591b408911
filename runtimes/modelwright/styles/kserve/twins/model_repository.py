"""kserve.ModelRepository: the models that the author registers."""

from __future__ import annotations

from pathlib import Path

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.model import BaseKServeModel

MODEL_MOUNT_DIRS = "/mnt/models"


class ModelRepository:
    """Models by name; `load` is for subclasses, which know how to make a model of a folder."""

    __module__ = "kserve.model_repository"

    def __init__(self, models_dir: str = MODEL_MOUNT_DIRS) -> None:
        self.models: dict[str, BaseKServeModel] = {}
        self.models_dir = models_dir

    def load_models(self) -> None:
        """Load a model of each folder under `models_dir`."""
        for folder in sorted(Path(self.models_dir).iterdir()):
            if folder.is_dir():
                self.load_model(folder.name)

    def set_models_dir(self, models_dir: str) -> None:
        """Look elsewhere for models."""
        self.models_dir = models_dir

    def get_model(self, name: str) -> BaseKServeModel | None:
        """Return the model of that name, None where there is none."""
        return self.models.get(name)

    def get_models(self) -> dict[str, BaseKServeModel]:
        """Return all models by name."""
        return self.models

    async def is_model_ready(self, name: str) -> bool:
        """Tell whether there is a model of that name and it is healthy."""
        model = self.get_model(name)
        return bool(model) and bool(await model.healthy())  # type: ignore[union-attr]

    def update(self, model: BaseKServeModel, name: str | None = None) -> None:
        """Add a model, or put it in another's place, under its own name or another."""
        self.models[name or model.name] = model

    def load(self, name: str) -> Foreign:
        """Load the model of that name; does nothing unless a subclass says how."""

    def load_model(self, name: str) -> Foreign:
        """Load one folder's model; does nothing unless a subclass says how."""

    def unload(self, name: str) -> None:
        """Stop and forget a model; raises KeyError where there is none of that name."""
        if name not in self.models:
            raise KeyError(f"model with name {name} does not exist")
        model = self.models.pop(name)
        model.stop()
        if model.engine:
            model.stop_engine()
