"""A large JSON tensor costs less than parsing it into Python's numbers would."""

import time
from collections.abc import Callable

import numpy as np
import orjson
import pytest
from modelwright.codecs import v2

SHAPE = (1, 3, 224, 224)


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(15):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


@pytest.mark.parametrize("nested", [False, True])
def test_an_image_tensor_beats_a_parser_of_python_numbers(nested: bool) -> None:
    image = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    item = {"name": "x", "shape": SHAPE, "datatype": "FP32", "data": image if nested else image.ravel()}
    body = orjson.dumps({"inputs": [item]}, option=orjson.OPT_SERIALIZE_NUMPY)

    def plain() -> np.ndarray:
        return np.array(orjson.loads(body)["inputs"][0]["data"], np.float32).reshape(SHAPE)

    assert np.array_equal(v2.decode(body, {}).inputs[0].data, plain())
    assert best(lambda: v2.decode(body, {})) < best(plain)
