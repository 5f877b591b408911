"""`python -m tests.bench.request.drive STYLE STAGE COUNT`: takes so many requests that far, for callgrind to count."""

from __future__ import annotations

import asyncio
import gc
import json
import sys

from modelwright.codecs import v2
from modelwright.model import Repository
from modelwright.server import execution

from tests.bench.request import served
from tests.bench.request.stages import STAGES, Stages
from tests.bench.serving.bodies import SMALL

# Requests to each stage before the counted ones: caches are full then, and code runs where it is going to stay.
_WARM_UP = 50


def _lift() -> None:
    # Under valgrind all is slow, and what is slow would go to threads; the first calls go there in any case.
    execution.FAST = execution.SLOW = execution.CERTAIN = 60.0
    execution.STREAK = 1


async def drive(style: str, stage: str, count: int) -> None:
    """Load the style's model, and take `count` requests to the stage; with none, what all stages have before them."""
    models = Repository(served.models(style))
    for model in models:
        await model.load()
    name = json.dumps(served.input_name(style)).encode()
    stages = Stages(models, SMALL.content.replace(b'"input-0"', name))
    await stages.prove()
    for each in STAGES:
        one = stages.named(each)
        for _ in range(_WARM_UP):
            await one()
    one = stages.named(stage)
    # As the server does behind its models: the collector does not come back to them.
    gc.freeze()
    for _ in range(count):
        await one()


def main() -> None:
    if not str(v2.__file__).endswith(".so"):
        raise SystemExit("the compiled modules are what is counted: put their folder on PYTHONPATH")
    _lift()
    style, stage, count = sys.argv[1:]
    asyncio.run(drive(style, stage, int(count)))


if __name__ == "__main__":
    main()
