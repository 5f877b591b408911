"""`ModelInterface` of the third generation.

Source: https://github.com/nvidia-cosmos/cosmos-curate, cosmos_curate/core/interfaces/model_interface.py.
"""

from __future__ import annotations

import abc


class ModelInterface(abc.ABC):
    """A model by its weights and its environment; how it infers is its author's matter."""

    @property
    @abc.abstractmethod
    def conda_env_name(self) -> str:
        """The environment that the model is to run in."""

    @property
    @abc.abstractmethod
    def model_id_names(self) -> list[str]:
        """The ids of the weights, which are fetched before `setup` is called."""

    @abc.abstractmethod
    def setup(self) -> None:
        """Load the weights."""
