"""A transformer of the predictor `p`, whose address its arguments name."""

from kserve import Model, ModelServer


class Transformer(Model):
    async def preprocess(self, payload, headers=None):
        return payload


if __name__ == "__main__":
    model = Transformer("p")
    model.load()
    ModelServer().start([model])
