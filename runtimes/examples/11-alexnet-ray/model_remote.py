"""The Ray model of KServe's documentation: AlexNet in two processes of their own, behind one server."""

import os
from pathlib import Path
from typing import Dict

import kserve
import numpy as np
import torch
from ray import serve
from torchvision import models

WEIGHTS = Path(os.environ.get("MODEL_FOLDER", "/mnt/models")) / "alexnet.pt"


# With GPUs: ray_actor_options={"num_cpus": 1, "num_gpus": 0.5} puts two replicas on one.
@serve.deployment(name="custom-model", num_replicas=2, ray_actor_options={"num_cpus": 1})
class AlexNetModel(kserve.Model):
    def __init__(self):
        self.name = "custom-model"
        super().__init__(self.name)
        self.load()

    def load(self):
        if not WEIGHTS.exists():
            raise FileNotFoundError(
                f"{WEIGHTS} is missing: set storageUri to a folder that holds {WEIGHTS.name} (see ../02-alexnet)"
            )
        self.model = models.alexnet(weights=None)
        # mmap: the replicas of one machine share the file's pages.
        state = torch.load(WEIGHTS, map_location="cpu", weights_only=True, mmap=True)
        self.model.load_state_dict(state, assign=True)
        self.model.eval()
        self.ready = True

    def predict(self, request: Dict, headers: Dict[str, str] = None) -> Dict:
        np_array = np.asarray(request["instances"][0]["data"])
        input_tensor = torch.Tensor(np_array).unsqueeze(0)
        with torch.inference_mode():
            output = self.model(input_tensor)
        values, top_5 = torch.topk(output, 5)
        return {"predictions": values.tolist()}


if __name__ == "__main__":
    kserve.ModelServer().start({"custom-model": AlexNetModel})
