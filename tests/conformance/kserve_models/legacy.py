"""What genuine kserve 0.21 refuses: a dict of models, handlers without headers, models that are not loaded."""

from kserve import ModelServer
from old import NotLoaded, Seed, SeedOverGrpc, WithoutHeaders


class Nameless(Seed):
    """The document's model for Ray: it names itself."""

    def __init__(self):
        super().__init__("custom-model")


if __name__ == "__main__":
    ModelServer(enable_grpc=False).start(
        {
            "custom-model": Nameless,
            "without": WithoutHeaders,
            "notloaded": NotLoaded("notloaded"),
            "contents": SeedOverGrpc("contents"),
        }
    )
