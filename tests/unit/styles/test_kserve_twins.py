"""What the twins hold besides their dicts, and the ids that they make."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from modelwright.styles.kserve.twins.protocol.infer_type import InferInput, InferOutput, InferRequest, InferResponse
from modelwright.styles.kserve.twins.utils.utils import get_predict_response


def request(**more: object) -> InferRequest:
    return InferRequest("m", [InferInput("x", [2], "FP32", [1.0, 2.0])], "id-1", **more)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_of_pickle_rebuilds_all_that_is_held(protocol: int) -> None:
    # Not by pickle: here the classes' names are those of the genuine kserve.
    for given in (
        request(parameters={"a": 1}, from_grpc=True),
        InferResponse("i", "m", [InferOutput("y", [0], "FP32")]),
    ):
        make, arguments, state = given.__reduce_ex__(protocol)
        again = make(*arguments)
        again.__setstate__(state)
        assert again == given
        assert again.__getstate__() == given.__getstate__()


def test_a_copy_has_its_own_fields_and_the_author_s_own_attributes() -> None:
    given = request()
    given.seen = True
    made = copy.copy(given)
    made.model_name = "other"
    assert (given.model_name, made.seen, made.inputs is given.inputs) == ("m", True, True)
    assert copy.deepcopy(given).inputs[0] == given.inputs[0]


def test_from_grpc_is_a_method_of_the_class_and_an_attribute_of_its_objects() -> None:
    class Own(InferRequest):
        pass

    assert Own.from_grpc.__self__ is Own
    assert (request().from_grpc, request(from_grpc=True).from_grpc) == (False, True)
    changed = request()
    changed.from_grpc = True
    assert changed.from_grpc is True
    assert "from_grpc" in changed.__getstate__()


def test_an_answer_does_not_share_the_author_s_buffer() -> None:
    buffer = np.float32([1, 2])
    answer = get_predict_response(request(), buffer, "m")
    buffer[:] = 0
    assert answer.outputs[0].as_numpy().tolist() == [1, 2]
