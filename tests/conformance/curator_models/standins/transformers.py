"""AutoModel over a numpy file: a mean for each channel, weighted."""

from pathlib import Path

import numpy as np
import torch


class AutoModel(torch.nn.Module):
    def __init__(self, weights):
        self._weights = weights

    @classmethod
    def from_pretrained(cls, folder, trust_remote_code=False):
        return cls(np.load(Path(folder) / "model.npy"))

    def __call__(self, images):
        features = images.numpy().mean(axis=(2, 3)) * self._weights
        return torch.Tensor(features), torch.Tensor(features)
