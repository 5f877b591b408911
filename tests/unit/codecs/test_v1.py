"""V1 payloads reach authors as KServe hands them over, and their answers leave as KServe writes them."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.codecs import v1
from modelwright.errors import InferenceError, InvalidInput

EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "36077800-0c23-4f38-a0b4-01f4369f670a",
    "ce-source": "https://example.com/event-producer",
    "ce-type": "com.example.sampletype1",
    "ce-time": "2021-01-28T21:04:43.144141+00:00",
}
ATTRIBUTES = {name[3:]: value for name, value in EVENT.items()}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key != "instances"), values), st.lists(values))
def test_any_object_round_trips(payload: dict, instances: list) -> None:
    payload["instances"] = instances
    assert v1.decode(json.dumps(payload).encode(), {}) == payload
    assert v1.decode(memoryview(v1.encode(payload)), {}) == payload


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", None],
)
def test_json_is_read_whatever_its_content_type(content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert v1.decode(b'{"instances": [[1, 2.5]]}', headers) == {"instances": [[1, 2.5]]}


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream", "application/avro"])
def test_what_says_that_it_is_not_json_arrives_as_bytes(content_type: str) -> None:
    assert v1.decode(b"\xff\xd8{}", {"content-type": content_type}) == b"\xff\xd8{}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body is empty"),
        (b"instances=1", "not valid JSON"),
        (b'{"instances":[NaN]}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 5000, "not valid JSON"),
        (b"null", "must be a JSON object .*not null"),
        (b"[[1,2]]", "must be a JSON object .*not a list of 1"),
        (b'"x"', "not the string 'x'"),
        (b'{"instances":{"a":1}}', "'instances' must be a list, not an object"),
        (b'{"instances":null}', "'instances' must be a list, not null"),
        (b'{"instances":"x"}', "'instances' must be a list, not the string 'x'"),
    ],
)
def test_malformed_payloads_are_refused(body: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        v1.decode(body, {"content-type": "application/json"})


def test_a_binary_event_is_unwrapped_and_answered_in_kind() -> None:
    headers = EVENT | {"content-type": "application/json"}
    payload, event = v1.read(b'{"instances":[1]}', headers)
    assert payload == {"instances": [1]}
    body, answered = v1.write({"predictions": np.array([2])}, event, "m")
    assert json.loads(body) == {"predictions": [2]}
    assert answered["content-type"] == "application/json"
    assert answered["ce-source"] == "io.kserve.inference.m"
    assert answered["ce-type"] == "io.kserve.inference.response"
    assert answered["ce-specversion"] == "1.0"
    assert answered["ce-id"] != EVENT["ce-id"]


@pytest.mark.parametrize("content_type", ["application/cloudevents+json; charset=utf-8", "application/json"])
def test_a_structured_event_is_unwrapped_and_answered_in_kind(content_type: str) -> None:
    body = json.dumps(ATTRIBUTES | {"data": {"instances": [1]}}).encode()
    payload, event = v1.read(body, {"content-type": content_type})
    assert payload == {"instances": [1]}
    answer, headers = v1.write({"predictions": [2]}, event, "m")
    assert headers == {"content-type": "application/cloudevents+json"}
    fields = json.loads(answer)
    assert fields.pop("data") == {"predictions": [2]}
    assert fields.keys() == {"specversion", "id", "source", "type", "time"}


def test_the_answer_can_keep_the_attributes_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CE_MERGE", "true")
    monkeypatch.setenv("CE_TYPE", "mine")
    _, event = v1.read(b"{}", EVENT | {"ce-subject": "s", "ce-datacontenttype": "application/json"})
    _, headers = v1.write({}, event, "m")
    assert headers["ce-subject"] == "s"
    assert headers["ce-type"] == "mine"
    assert "ce-datacontenttype" not in headers


def test_a_binary_event_of_bytes_reaches_the_author_as_bytes() -> None:
    assert v1.decode(b"\x00\x01", EVENT | {"content-type": "application/avro"}) == b"\x00\x01"


def test_a_structured_event_carries_bytes_as_base64() -> None:
    payload = json.dumps(ATTRIBUTES | {"data_base64": base64.b64encode(b'{"instances":[1]}').decode()}).encode()
    assert v1.decode(payload, {"content-type": "application/cloudevents+json"}) == {"instances": [1]}


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type"])
def test_a_binary_event_without_a_required_attribute_is_refused(missing: str) -> None:
    headers = {name: value for name, value in EVENT.items() if name != missing}
    with pytest.raises(InvalidInput, match=f"the header '{missing}' of the CloudEvent must be a string, not null"):
        v1.decode(b"{}", headers)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "attribute 'id'"),
        ({"source": 5}, "attribute 'source' .*not the number 5"),
        ({"type": ""}, "attribute 'type'"),
        ({"specversion": "9"}, "'specversion' must be 0.3 or 1.0, not the string '9'"),
        ({"data": [1]}, "must be a JSON object"),
        ({"data": {"instances": 1}}, "'instances' must be a list"),
        ({"data": ..., "data_base64": "%%"}, "'data_base64' .*base64"),
        ({"data": ..., "data_base64": 1}, "'data_base64' .*base64"),
        ({"data": ...}, "no 'data'"),
    ],
)
def test_a_malformed_structured_event_is_refused(changes: dict, message: str) -> None:
    event = {key: value for key, value in (ATTRIBUTES | {"data": {}} | changes).items() if value is not ...}
    with pytest.raises(InvalidInput, match=message):
        v1.decode(json.dumps(event).encode(), {"content-type": "application/cloudevents+json"})


class Lazy:
    def tolist(self) -> list[int]:
        return [1, 2]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"predictions": np.arange(4, dtype=np.float32).reshape(2, 2)}, {"predictions": [[0, 1], [2, 3]]}),
        ({"predictions": np.arange(4).reshape(2, 2).T}, {"predictions": [[0, 2], [1, 3]]}),
        ({"predictions": np.arange(2, dtype=">i4")}, {"predictions": [0, 1]}),
        ({"predictions": np.array(["a", "b"])}, {"predictions": ["a", "b"]}),
        ({"predictions": np.array([b"a"], object)}, {"predictions": ["a"]}),
        ({"predictions": [np.float32(0.5), np.int64(3), np.bool_(True), np.float16(2), np.str_("s")]}, None),
        ({"predictions": (1, 2)}, {"predictions": [1, 2]}),
        ({"predictions": Lazy()}, {"predictions": [1, 2]}),
        ({"predictions": [float("nan"), float("inf"), np.nan]}, {"predictions": [None] * 3}),
        ({"predictions": np.array([np.nan, 1.0])}, {"predictions": [None, 1.0]}),
        ({1: b"text"}, {"1": "text"}),
        ([1, 2], [1, 2]),
    ],
)
def test_answers_are_written(result: object, expected: object) -> None:
    expected = expected or {"predictions": [0.5, 3, True, 2.0, "s"]}
    assert json.loads(v1.encode(result)) == expected


def test_bytes_and_text_leave_as_they_are() -> None:
    assert v1.encode(b"\xff") == b"\xff"
    assert v1.encode("ü") == "ü".encode()


@pytest.mark.parametrize(
    "result", [{"predictions": object()}, {"p": {1, 2}}, {"p": b"\xff"}, {"p": 2**70}, {"p": "\ud800"}]
)
def test_an_answer_without_a_json_form_is_an_error_of_the_server(result: dict) -> None:
    with pytest.raises(InferenceError, match="cannot be written as JSON") as caught:
        v1.encode(result)
    assert caught.value.status == 500


def test_an_answer_that_contains_itself_is_an_error_of_the_server() -> None:
    result: dict = {}
    result["predictions"] = [result]
    with pytest.raises(InferenceError, match="cannot be written as JSON"):
        v1.encode(result)
