"""The model for Infosys IMIL: its driver is the base class's."""

import json

import numpy as np
from modelloader.base_model_loader import BaseModelLoader


class Sum:
    def executeModel(self, numbers, threshold):  # noqa: N802 - the library's name
        return [{"Cs": float(np.array(json.loads(numbers), np.float32).sum())}]


class SumModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        super().__init__(config, model_name)
        self.model_obj = Sum()
