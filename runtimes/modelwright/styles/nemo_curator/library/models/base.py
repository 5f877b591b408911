"""`ModelInterface` of the second generation.

Source: https://github.com/NVIDIA-NeMo/Curator, nemo_curator/models/base.py.
"""

from __future__ import annotations

import abc


class ModelInterface(abc.ABC):
    """A model by its weights; classes may have `download_weights_on_node(model_dir)` besides."""

    @property
    @abc.abstractmethod
    def model_id_names(self) -> list[str]:
        """The ids of the weights, which are fetched before `setup` is called; a plain method will do."""

    @abc.abstractmethod
    def setup(self) -> None:
        """Load the weights."""
