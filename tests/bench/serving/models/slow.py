"""A synchronous model that takes two seconds for an answer."""

import time

from kserve import ModelServer, model_server
from model import Sum


class Slow(Sum):
    def predict(self, payload, headers=None):
        time.sleep(2)
        return super().predict(payload, headers)


if __name__ == "__main__":
    arguments, _ = model_server.parser.parse_known_args()
    ModelServer().start([Slow(arguments.model_name)])
