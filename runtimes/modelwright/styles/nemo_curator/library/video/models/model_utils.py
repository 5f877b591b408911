"""`ModelInterface` of the first generation, and where its weights are.

Source: https://docs.nvidia.com/nemo/curator, "Adding Custom Models" of the early-access video container.
"""

from __future__ import annotations

import abc

from modelwright.styles.nemo_curator.place import folder as get_local_dir_for_weights_name

__all__ = ["ModelInterface", "get_local_dir_for_weights_name"]


class ModelInterface(abc.ABC):
    """A model by its weights and its environment; how it infers is its author's matter."""

    @property
    @abc.abstractmethod
    def weights_names(self) -> list[str]:
        """The names of the weights, which are fetched before `setup` is called."""

    @property
    @abc.abstractmethod
    def id_file_mapping(self) -> dict[str, list[str] | None]:
        """The files that are wanted of each of the weights; None is all."""

    @property
    def num_gpus(self) -> float:
        """The GPUs of one instance, a fraction where several may share one."""
        return 1.0

    @property
    @abc.abstractmethod
    def conda_env_name(self) -> str:
        """The environment that the model is to run in."""

    @abc.abstractmethod
    def setup(self) -> None:
        """Load the weights."""
