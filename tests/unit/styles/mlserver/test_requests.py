"""A request as an author gets it, and what an author makes of it: what is made only when somebody looks."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from modelwright.server.rest.headers import Encoded, Written
from modelwright.server.rest.replies import to_bytes
from modelwright.server.rest.wire.heads import JSON, Heads, joined, lines
from modelwright.styles.mlserver.answers import inference_response
from modelwright.styles.mlserver.cloudevents import CloudEvents
from modelwright.styles.mlserver.library import types
from modelwright.styles.mlserver.library.codecs import NumpyCodec
from modelwright.styles.mlserver.requests import inference_request

from tests.unit.styles.mlserver.authors import numbers, request, text

EVENTS = CloudEvents("m")


def asked(**more) -> types.InferenceRequest:
    given = request(numbers("x", [1, 2]), text("y", "a"), **more)
    return inference_request(types, given, EVENTS, "1")


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made)), lambda made: made.model_copy(deep=True)],
)
@pytest.mark.parametrize("more", [{}, {"parameters": {"mine": 1}}])
def test_a_request_that_nobody_has_looked_at_is_copied_and_pickled_whole(copied, more) -> None:
    made = copied(asked(**more))
    assert made.parameters.headers["host"] == "here"
    assert made.parameters.headers["Ce-Id"] == "1"
    assert getattr(made.parameters, "mine", None) == more.get("parameters", {}).get("mine")
    assert [list(each.data) for each in made.inputs] == [[1, 2], ["a"]]
    assert made == asked(**more)


def test_what_was_not_sent_is_none() -> None:
    made = asked()
    assert (made.outputs, made.inputs[0].parameters) == (None, None)
    assert made.parameters.content_type is None
    made.parameters.headers["x"] = "kept"
    assert made.parameters.headers["x"] == "kept"


def test_an_array_without_a_copy_is_copied_and_pickled_as_its_elements() -> None:
    output = NumpyCodec.encode_output("o", np.array([1.0, np.nan]))
    for each in (copy.copy(output), copy.deepcopy(output), pickle.loads(pickle.dumps(output)), output.model_copy()):
        assert (list(each.data), each.parameters.content_type) == ([1.0, None], "np")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda output: None, {"content_type": "np"}),
        (lambda output: output.parameters, {"content_type": "np"}),
        (lambda output: setattr(output.parameters, "mine", 1), {"content_type": "np", "mine": 1}),
        (lambda output: setattr(output, "parameters", types.Parameters(mine=1)), {"mine": 1}),
        (lambda output: setattr(output, "parameters", None), {}),
        (lambda output: output.data.root.reverse(), {"content_type": "np"}),
        (lambda output: setattr(output, "data", [2.0]), {"content_type": "np"}),
        (lambda output: setattr(output, "datatype", types.Datatype.FP64), {"content_type": "np"}),
    ],
)
def test_an_outputs_parameters_are_what_its_author_left(change, said) -> None:
    output = NumpyCodec.encode_output("o", np.array([1.0]))
    change(output)
    answer = inference_response(types.InferenceResponse(outputs=[output]), "m", "1")
    assert answer.outputs[0].parameters == said
    assert answer.outputs[0].data.shape == (1, 1)


def test_headers_of_events_go_out_as_they_are_shown() -> None:
    found = EVENTS.of_response("1")
    assert isinstance(found, Encoded)
    assert to_bytes(found) == to_bytes(dict(found))
    assert pickle.loads(pickle.dumps(found)) == found
    assert "Ce-Id" not in EVENTS.of_response("a\r\nset-cookie: b")


@pytest.mark.parametrize(
    "codecs", [[JSON], [(b"content-type", b"application/octet-stream"), (b"inference-header-content-length", b"9")]]
)
def test_what_is_written_of_events_is_what_stands_in_the_list(codecs) -> None:
    found = joined(to_bytes(EVENTS.of_response("1")), codecs)
    assert found == to_bytes(dict(EVENTS.of_response("1"))) + codecs
    assert isinstance(found, Written)
    assert found.lines == lines(list(found))
    assert Heads().of(200, found, 9) == Heads().of(200, list(found), 9)


def test_a_models_name_that_no_header_carries_is_refused_by_the_server() -> None:
    found = CloudEvents("模型").of_response("1")
    assert found["Ce-Id"] == "1"
    with pytest.raises(ValueError, match="'Ce-Modelid' has characters"):
        to_bytes(found)


def test_an_authors_headers_stand_beside_the_events() -> None:
    answer = types.InferenceResponse(outputs=[], parameters={"headers": {"x-mine": 5, "Ce-Id": "forged"}})
    found = inference_response(answer, "m", "1", EVENTS.of_response("1")).headers
    assert (found["x-mine"], found["Ce-Id"]) == ("5", "1")
    assert (b"x-mine", b"5") in to_bytes(found)
