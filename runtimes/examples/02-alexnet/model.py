"""The custom REST model of KServe's documentation: AlexNet on torch, its weights from the mounted model storage."""

import os
from pathlib import Path
from typing import Dict

import numpy as np
import torch
from kserve import Model, ModelServer
from torchvision import models

WEIGHTS = Path(os.environ.get("MODEL_FOLDER", "/mnt/models")) / "alexnet.pt"


class AlexNetModel(Model):
    def __init__(self, name: str):
        super().__init__(name)
        self.name = name
        self.load()

    def load(self):
        if not WEIGHTS.exists():
            raise FileNotFoundError(
                f"{WEIGHTS} is missing: set storageUri to a folder that holds {WEIGHTS.name} (make_weights.py makes one)"
            )
        self.model = models.alexnet(weights=None)
        # weights_only: a state_dict is data, and a file that wants to be more than that is refused.
        state = torch.load(WEIGHTS, map_location="cpu", weights_only=True, mmap=True)
        self.model.load_state_dict(state, assign=True)
        self.model.eval()
        self.ready = True

    def predict(self, payload: Dict, headers: Dict[str, str] = None) -> Dict:
        np_array = np.asarray(payload["instances"][0]["data"])
        input_tensor = torch.Tensor(np_array).unsqueeze(0)
        with torch.inference_mode():
            output = self.model(input_tensor)
        values, top_5 = torch.topk(output, 5)
        # One list of five scores for each instance, as the documentation's expected output shows it.
        return {"predictions": values.tolist()}


if __name__ == "__main__":
    model = AlexNetModel("custom-model")
    ModelServer().start([model])
