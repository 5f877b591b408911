"""Merging and splitting: what goes in comes out, and what cannot be told apart is not guessed at."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.model import V1Answer
from modelwright.server.batching import batches, instances
from modelwright.tensors import NUMPY_TYPES, InferenceRequest, InferenceResponse, RequestedOutput, Tensor

from tests.unit.codecs.strategies import DATATYPES, elements, same


@st.composite
def alike(draw: st.DrawFn) -> list[InferenceRequest]:
    """Several requests of one kind: any datatypes, any trailing shapes, any numbers of rows."""
    columns = draw(
        st.lists(
            st.tuples(st.sampled_from(DATATYPES), st.lists(st.integers(0, 3), max_size=3).map(tuple)),
            min_size=1,
            max_size=3,
        )
    )
    return [
        InferenceRequest("m", [draw(tensor(f"in-{i}", *column, rows)) for i, column in enumerate(columns)], f"id-{n}")
        for n, rows in enumerate(draw(st.lists(st.integers(1, 4), min_size=2, max_size=6)))
    ]


@st.composite
def tensor(draw: st.DrawFn, name: str, datatype: str, trailing: tuple[int, ...], rows: int) -> Tensor:
    shape = (rows, *trailing)
    size = math.prod(shape)
    data = np.empty(size, NUMPY_TYPES[datatype])
    data[:] = draw(st.lists(elements(datatype), min_size=size, max_size=size))
    return Tensor(name, datatype, shape, data.reshape(shape))


def request(shape=(1, 4), *, name="x", datatype="FP32", parameters=None, **more) -> InferenceRequest:
    data = np.zeros(shape, NUMPY_TYPES[datatype])
    return InferenceRequest("m", [Tensor(name, datatype, tuple(shape), data, parameters or {})], **more)


@given(alike())
def test_what_is_merged_splits_into_what_it_was(requests):
    assert len({batches.kind(each) for each in requests}) == 1
    merged = batches.merge(requests)
    assert all(each.data.shape == each.shape for each in merged.inputs)
    answers = batches.split(InferenceResponse("m", merged.inputs), requests)
    for asked, answered in zip(requests, answers, strict=True):
        assert answered.id == asked.id
        for before, after in zip(asked.inputs, answered.outputs, strict=True):
            assert (before.name, before.datatype, before.shape) == (after.name, after.datatype, after.shape)
            assert same(before.data, after.data)


def test_a_part_of_an_answer_is_not_copied():
    output = Tensor("y", "FP32", (3,), np.arange(3, dtype=np.float32))
    first, _ = batches.split(InferenceResponse("m", [output]), [request((1, 4)), request((2, 4))])
    assert np.shares_memory(first.outputs[0].data, output.data)


@pytest.mark.parametrize(
    ("shapes", "rows"),
    [([(3, 4)], 3), ([(3, 4), (3,)], 3), ([(3, 4), (2, 4)], 0), ([()], 0), ([(0, 4)], 0), ([(2,), ()], 0)],
)
def test_rows_are_what_all_inputs_agree_on(shapes, rows):
    inputs = [Tensor(f"x{i}", "FP32", shape, np.zeros(shape, "<f4")) for i, shape in enumerate(shapes)]
    assert batches.count(InferenceRequest("m", inputs)) == rows


@pytest.mark.parametrize(
    "other",
    [
        {"shape": (1, 5)},
        {"shape": (1, 4, 1)},
        {"name": "z"},
        {"datatype": "FP64"},
        {"parameters": {"content_type": "np"}},
        {"parameters": {"a": [1]}},
        {"headers": {"authorization": "Bearer b"}},
        {"headers": {"x-tenant": "b"}},
        {"headers": {"x-forwarded-client-cert": "b"}},
        {"outputs": [RequestedOutput("y")]},
    ],
)
def test_unlike_requests_are_of_different_kinds(other):
    assert batches.kind(request(**other)) != batches.kind(request())


def test_a_requests_own_parameters_make_a_kind():
    first, second = request(), request()
    first.parameters, second.parameters = {"temperature": 1}, {"temperature": True}
    assert batches.kind(first) != batches.kind(second)


def test_how_a_request_travels_and_is_answered_makes_no_kind():
    first = request(headers={"x-request-id": "1", "traceparent": "a", "x-forwarded-for": "1.2.3.4", "host": "h"})
    second = request((7, 4), headers={"x-request-id": "2", "user-agent": "b", "content-length": "9", "host": "h"})
    first.parameters = {"binary_data_output": True}
    first.outputs = [RequestedOutput("y", {"binary_data": True})]
    second.outputs = [RequestedOutput("y")]
    assert batches.kind(first) == batches.kind(second)
    merged = batches.merge([first, second])
    assert (merged.id, merged.parameters, merged.outputs) == (None, {}, [RequestedOutput("y")])
    assert merged.headers == {"host": "h"}


def test_parameters_that_requests_agree_in_reach_the_model():
    both = [request(parameters={"content_type": "np"}), request(parameters={"content_type": "np"})]
    for each in both:
        each.parameters = {"temperature": 0.5}
    merged = batches.merge(both)
    assert (merged.parameters, merged.inputs[0].parameters) == ({"temperature": 0.5}, {"content_type": "np"})


def test_each_part_has_parameters_and_headers_of_its_own():
    output = Tensor("y", "FP32", (2,), np.zeros(2, "<f4"), {"unit": "m"})
    whole = InferenceResponse("m", [output], "of the batch", "7", {"seen": 1}, {"x-model": "m"})
    first, second = batches.split(whole, [request(id="a"), request()])
    assert (first.id, second.id) == ("a", None)
    for part in (first, second):
        assert (part.model_version, part.parameters, part.headers) == ("7", {"seen": 1}, {"x-model": "m"})
    first.parameters["seen"] = 2
    first.outputs[0].parameters["unit"] = "km"
    assert (second.parameters, second.outputs[0].parameters) == ({"seen": 1}, {"unit": "m"})


@pytest.mark.parametrize(("shape", "claimed"), [((3,), (3,)), ((), ()), ((1, 2), (1, 2)), ((2, 2), (2, 1))])
def test_an_output_without_a_row_for_each_row_is_not_split(shape, claimed):
    output = Tensor("y", "FP32", claimed, np.zeros(shape, "<f4"))
    with pytest.raises(batches.Unsplittable, match="output 'y' has the shape"):
        batches.split(InferenceResponse("m", [output]), [request(), request()])


def test_a_parameter_that_may_speak_of_some_rows_is_not_split():
    whole = InferenceResponse("m", [Tensor("y", "FP32", (2,), np.zeros(2, "<f4"))], parameters={"found": ["a", "b"]})
    with pytest.raises(batches.Unsplittable, match="parameter 'found' of the answer is a list"):
        batches.split(whole, [request(), request()])


JSON_ITEM = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)


@given(st.lists(st.lists(JSON_ITEM, min_size=1, max_size=4), min_size=2, max_size=6), st.booleans())
def test_instances_that_are_merged_split_into_what_they_were(lists, as_array):
    asked = [({"instances": each}, {"host": "h"}) for each in lists]
    payload, headers = instances.merge(asked)
    assert headers == {"host": "h"}
    given_back = payload["instances"]
    if as_array:
        given_back = np.empty(len(payload["instances"]), object)
        given_back[:] = [0] * len(given_back)
    answers = instances.split(V1Answer({"predictions": given_back, "model": "m"}, {"x-model": "m"}), asked)
    for (before, _), after in zip(asked, answers, strict=True):
        assert len(after.result["predictions"]) == len(before["instances"])
        assert after.result["model"] == "m"
        assert after.headers == {"x-model": "m"}
        if not as_array:
            assert after.result["predictions"] == before["instances"]


@pytest.mark.parametrize(
    ("payload", "rows"),
    [
        ({"instances": [[1], [2]]}, 2),
        ({"instances": []}, 0),
        ({"instances": [[1]], "signature_name": "s"}, 0),
        ({"inputs": [[1]]}, 0),
        (b"\xff\xd8", 0),
    ],
)
def test_only_instances_and_nothing_else_are_counted(payload, rows):
    assert instances.count((payload, {})) == rows


@pytest.mark.parametrize("other", [[1.0, 2.0], [[1.0]], {"a": 1}, "text", 1, True, None])
def test_instances_of_another_form_are_of_another_kind(other):
    assert instances.kind(({"instances": [other]}, {})) != instances.kind(({"instances": [[1.0]]}, {}))


def test_whole_numbers_and_others_are_of_one_kind():
    assert instances.kind(({"instances": [[1, 2]]}, {})) == instances.kind(({"instances": [[0.5, 1]]}, {}))


@pytest.mark.parametrize(
    "result",
    [
        {"predictions": [1]},
        {"predictions": "ab"},
        {"outputs": [1, 2]},
        {"predictions": [1, 2], "scores": [1, 2, 3]},
        {"predictions": [1, 2], "why": {"a": 1}},
        [1, 2],
        b"ab",
        None,
    ],
)
def test_an_answer_that_cannot_be_told_apart_is_not_split(result):
    with pytest.raises(batches.Unsplittable):
        instances.split(V1Answer(result, {}), [({"instances": [1]}, {}), ({"instances": [2]}, {})])


def test_other_lists_of_an_answer_are_split_like_its_predictions():
    answer = V1Answer({"predictions": [1, 2, 3], "scores": (0.1, 0.2, 0.3)}, {})
    first, second = instances.split(answer, [({"instances": [1]}, {}), ({"instances": [2, 3]}, {})])
    assert first.result == {"predictions": [1], "scores": (0.1,)}
    assert second.result == {"predictions": [2, 3], "scores": (0.2, 0.3)}
