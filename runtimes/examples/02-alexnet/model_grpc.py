"""The custom gRPC model of KServe's documentation: the same AlexNet, asked in tensors. Start: `python -m model_grpc`."""

import os
from pathlib import Path
from typing import Dict

import torch
from kserve import InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import generate_uuid
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
        state = torch.load(WEIGHTS, map_location="cpu", weights_only=True, mmap=True)
        self.model.load_state_dict(state, assign=True)
        self.model.eval()
        self.ready = True

    def predict(self, payload: InferRequest, headers: Dict[str, str] = None) -> InferResponse:
        np_array = payload.inputs[0].as_numpy()
        input_tensor = torch.Tensor(np_array)
        with torch.inference_mode():
            output = self.model(input_tensor)
        values, top_5 = torch.topk(output, 5)
        result = values.flatten().tolist()
        # The documentation's own form of an answer, which its `contents` is gRPC's.
        response = {
            "id": generate_uuid(),
            "model_name": self.name,
            "outputs": [
                {
                    "contents": {"fp32_contents": result},
                    "datatype": "FP32",
                    "name": "output-0",
                    "shape": list(values.shape),
                }
            ],
        }
        return response


if __name__ == "__main__":
    model = AlexNetModel("custom-model")
    ModelServer().start([model])
