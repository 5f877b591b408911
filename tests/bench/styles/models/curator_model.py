"""The model for NeMo Curator."""

import numpy as np
import numpy.typing as npt
from nemo_curator.models.base import ModelInterface


class Sum(ModelInterface):
    @property
    def model_id_names(self):
        return []

    def setup(self):
        self.ready = True

    def __call__(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return x.sum(axis=-1)
