"""One server of every model that kserve 0.21 can serve too; an author's own arguments beside kserve's."""

import argparse
import importlib.util
import json
from pathlib import Path

import behaviour
import handlers
import kserve
import old
from kserve import ModelServer, logging, model_server

parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
parser.add_argument("--examples", required=True)
parser.add_argument("--describe", required=True, type=Path, help="file to write what kserve is like here")
parser.add_argument("--other", type=Path, help="the file that the other server wrote")
args, _ = parser.parse_known_args()

spec = importlib.util.spec_from_file_location("iris", Path(args.examples) / "01-iris" / "model.py")
iris = importlib.util.module_from_spec(spec)
spec.loader.exec_module(iris)

if __name__ == "__main__":
    if args.configure_logging:
        logging.configure_logging(args.log_config_file)
    other = json.loads(args.other.read_text()) if args.other else None
    args.describe.write_text(json.dumps(behaviour.describe(other)))
    assert model_server.parser is kserve.model_server.parser
    kinds = [
        handlers.Sync, handlers.Async, handlers.Headers, handlers.Handlers, handlers.Explain, handlers.Tensors,
        handlers.Plain, handlers.Raising, handlers.Strings, handlers.Inputs, handlers.Transformer, old.Seed,
    ]  # fmt: skip
    models = [kind(kind.__name__.lower()) for kind in kinds]
    ModelServer(http_port=args.http_port, enable_grpc=False).start([*models, iris.IrisModel("iris")])
