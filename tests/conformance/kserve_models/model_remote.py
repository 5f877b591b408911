"""The form of KServe's Ray example, without torch: deployments by name, each with replicas of its own."""

import os
from pathlib import Path

import kserve
import numpy as np
import ray
from kserve import InferRequest
from kserve.errors import InvalidInput
from kserve.ray import RayModel
from ray import serve


@serve.deployment(name="custom-model", num_replicas=2, ray_actor_options={"num_cpus": 0.5})
class AlexNetModel(kserve.Model):
    def __init__(self):
        self.name = "custom-model"
        super().__init__(self.name)
        self.load()

    def load(self):
        self.weights = np.linspace(0, 1, 10, dtype=np.float32).reshape(2, 5)
        self.ready = True

    def predict(self, request: dict, headers: dict[str, str] | None = None) -> dict:
        if isinstance(request, InferRequest):
            return self.infer(request)
        data = request["instances"][0]["data"]
        return {"predictions": self.asked(data) if isinstance(data, str) else [self.top_5(data)]}

    def asked(self, what):
        word, _, path = what.partition(" ")
        if word == "wrong":
            raise InvalidInput("data must be numbers")
        if word == "mistake":
            raise KeyError("the author's own")
        if word == "die" or (word == "once" and not Path(path).exists()):
            Path(path).touch()
            os._exit(9)
        return [os.getpid()]

    def top_5(self, data):
        return np.sort(np.asarray(data, np.float32) @ self.weights)[::-1].tolist()

    def infer(self, request: InferRequest):
        held = request.inputs[0]._array
        shared = held is not None and not held.flags.writeable
        total = request.inputs[0].as_numpy().sum(dtype=np.float64)
        outputs = [{"name": "sum", "datatype": "FP64", "shape": [1], "data": [float(total)]}]
        return {"id": request.id, "outputs": outputs, "parameters": {"shared": shared}}

    def explain(self, request: dict, headers: dict[str, str] | None = None) -> dict:
        return {"explanations": [list(self.weights.shape)]}


@serve.deployment(ray_actor_options={"num_cpus": 0.25})
class Loaded(kserve.Model):
    """Has its name given and loads in `load`, which nothing of the author's calls."""

    def __init__(self, name):
        super().__init__(name)

    def load(self):
        self.factor = 3
        self.ready = True

    def get_input_types(self):
        return [{"name": "x", "datatype": "FP32", "shape": [-1]}]

    async def predict(self, request, headers=None, response_headers=None):
        return request.inputs[0].as_numpy() * np.float32(self.factor)


@serve.deployment(ray_actor_options={"num_cpus": 0.25})
class Spoken(kserve.Model):
    """Answers in pieces, and to OpenAI's clients."""

    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    def predict(self, request, headers=None):
        words = request.inputs[0].data if isinstance(request, InferRequest) else request["instances"]
        for each in words:
            word = each if isinstance(each, str) else each.decode()
            if word == "wrong":
                raise InvalidInput("no such word")
            if word == "die":
                os._exit(9)
            yield f"{word}!"

    async def create_chat_completion(self, request, raw_request=None, context=None):
        words = request.messages[0].content.split()
        if request.stream:
            return self.chunks(words)
        return {"object": "chat.completion", "choices": [{"message": {"content": " ".join(words).upper()}}]}

    async def chunks(self, words):
        for word in words:
            yield {"object": "chat.completion.chunk", "choices": [{"delta": {"content": word.upper()}}]}


if __name__ == "__main__":
    ray.init(num_cpus=4, include_dashboard=False, object_store_memory=100 * 2**20)
    # The test puts other replicas on the same Ray.
    print("Ray is at", ray.get_runtime_context().gcs_address, flush=True)
    serve.start(proxy_location="Disabled")
    # Today's kserve: the handle of what the author has deployed.
    handle = serve.run(AlexNetModel.options(name="handled", num_replicas=1).bind(), name="handled", route_prefix=None)
    kserve.ModelServer().start(
        {"custom-model": AlexNetModel, "loaded": Loaded, "spoken": Spoken, "handled": RayModel("handled", handle)}
    )
