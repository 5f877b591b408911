"""A model that spans pods: a replica in the server's own, one in each worker's, and each says where it is."""

import socket

import kserve
import numpy as np


class Projection(kserve.Model):
    def __init__(self, name: str):
        super().__init__(name)
        self.weights = None

    def load(self) -> bool:
        self.weights = np.random.default_rng(7).standard_normal((4, 2))
        self.ready = True
        return True

    def predict(self, payload: dict, headers: dict | None = None) -> dict:
        rows = np.asarray(payload["instances"], float)
        return {"predictions": (rows @ self.weights).tolist(), "pod": socket.gethostname()}


if __name__ == "__main__":
    model = Projection("projection")
    model.load()
    kserve.ModelServer().start([model])
