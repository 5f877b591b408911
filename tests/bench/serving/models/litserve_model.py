"""The model on LitServe, which has a protocol of its own; the body is the same."""

import sys

import litserve
import numpy as np


class Sum(litserve.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        tensor = request["inputs"][0]
        return np.array(tensor["data"], dtype=np.float32).reshape(tensor["shape"])

    def predict(self, tensor):
        return tensor.sum(axis=-1)

    def encode_response(self, output):
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Sum(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False)
