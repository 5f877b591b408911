"""Whatever the bytes, a codec answers or refuses: nothing else comes out, and nothing takes longer than it is long."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelwright.codecs import document, v1, v2
from modelwright.errors import InferenceError
from modelwright.tensors import NUMPY_TYPES, Tensor

from tests.unit.codecs.strategies import binary_request, json_request, same, several

MEGABYTES = 5_000_000

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner))
small_numbers = st.recursive(st.integers(0, 2) | st.just(0.5), lambda inner: st.lists(inner, max_size=3), max_leaves=8)
wild_tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["x", "y"]) | nested,
        "datatype": st.sampled_from(sorted(NUMPY_TYPES)) | nested,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | nested,
        "data": small_numbers | nested,
        "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "p"]), st.integers(-1, 9) | nested) | nested,
    },
)
wild_bodies = st.fixed_dictionaries(
    {"inputs": st.lists(wild_tensors, max_size=3) | nested},
    optional={"id": nested, "outputs": nested, "parameters": nested},
)


def outcome(body: bytes, headers: dict[str, str]) -> list[Tensor] | str:
    try:
        return v2.decode(body, headers).inputs
    except InferenceError as error:
        assert 400 <= error.status < 500
        assert len(str(error)) < 1000
        return str(error)


@given(st.binary(max_size=200), st.none() | st.integers(-5, 250).map(str) | st.text(max_size=5))
def test_raw_bytes(body: bytes, length: str | None) -> None:
    outcome(body, {} if length is None else {v2.HEADER_LENGTH: length})
    try:
        v1.decode(body, {})
    except InferenceError as error:
        assert error.status == 400


@given(several(), st.integers(0, 10_000), st.binary(max_size=4), st.integers(0, 8), st.booleans())
def test_damaged_requests(tensors: list[Tensor], place: int, patch: bytes, drop: int, binary: bool) -> None:
    body, headers = binary_request(tensors) if binary else (json_request(tensors), {})
    place %= len(body)
    outcome(body[:place] + patch + body[place + drop :], headers)


@settings(max_examples=400)
@given(wild_bodies, st.binary(max_size=12))
def test_json_of_any_kind(body: dict, rest: bytes) -> None:
    text = json.dumps(body).encode()
    outcome(text, {})
    outcome(text + rest, {v2.HEADER_LENGTH: str(len(text))})


@settings(max_examples=400)
@given(wild_bodies | several(finite=True).map(json_request).map(json.loads))
def test_both_parsers_agree(body: dict) -> None:
    """A body past simdjson's limit goes through orjson, and means the same."""
    text = json.dumps(body).encode()
    with pytest.MonkeyPatch.context() as patch:
        fast = outcome(text, {})
        patch.setattr(document, "_SIMDJSON_BYTES", 0)
        slow = outcome(text, {})
    assert isinstance(fast, str) == isinstance(slow, str), (fast, slow)
    for one, other in zip(fast, slow, strict=True) if isinstance(fast, list) else ():
        assert (one.name, one.datatype, one.shape, one.parameters) == (
            other.name,
            other.datatype,
            other.shape,
            other.parameters,
        )
        assert same(one.data, other.data)


@given(st.dictionaries(st.sampled_from(["specversion", "id", "source", "type", "data", "time", "x"]), nested))
def test_events_of_any_kind(event: dict) -> None:
    for headers in ({"content-type": "application/cloudevents+json"}, {f"ce-{k}": str(v) for k, v in event.items()}):
        try:
            v1.decode(json.dumps(event).encode(), headers)
        except InferenceError as error:
            assert error.status == 400


def fill(template: str, piece: str) -> bytes:
    start, end = template.split("%")
    return (start + piece * ((MEGABYTES - len(template)) // len(piece)) + end).encode()


def wrap(datatype: str, shape: str, data: str) -> str:
    return f'{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{data}}}]}}'


HOSTILE = {
    "brackets": fill("%", "["),
    "braces": fill("%", '{"a":'),
    "digits": fill(wrap("FP32", "[1]", "[%1]"), "1"),
    "digits after the point": fill(wrap("FP32", "[1]", "[0.%1]"), "1"),
    "digits of an exponent": fill(wrap("FP32", "[1]", "[1e%1]"), "1"),
    "an endless name": fill('{"inputs":[{"name":"%"}]}', "n"),
    "an endless datatype": fill('{"inputs":[{"name":"x","datatype":"%"}]}', "F"),
    "an endless shape": fill(wrap("FP32", "[%1]", "[1]"), "1,"),
    "empty lists": fill(wrap("FP32", "[1]", "[%[]]"), "[],"),
    "empty lists that fit": fill(wrap("FP32", "[1666646,0]", "[%[]]"), "[],"),
    "lists of one": fill(wrap("FP32", "[2]", "[%[1]]"), "[1],"),
    "deep lists of one": fill(wrap("FP32", "[2]", "[%1]"), "[" * 30 + "1" + "]" * 30 + ","),
    "alternating": fill(wrap("FP32", "[2]", "[%1]"), "1,[1],"),
    "numbers and a null": fill(wrap("FP32", "[2]", "[%null]"), "1,"),
    "numbers and a true": fill(wrap("INT8", "[2]", "[%true]"), "1,"),
    "booleans": fill(wrap("BOOL", "[2]", "[%true]"), "true,"),
    "strings": fill(wrap("BYTES", "[2]", '[%""]'), '"",'),
    "escapes": fill(wrap("BYTES", "[1]", '["%"]'), "\\u0000"),
    "empty inputs": fill('{"inputs":[%{}]}', "{},"),
    "a field many times": fill('{"inputs":[{"name":"x"%}]}', ',"name":"x"'),
    "unknown fields": fill('{"inputs":[]%}', ',"n":0'),
    "parameters": fill('{"inputs":[],"parameters":{"a":0%}}', ',"a":0'),
    "outputs": fill('{"inputs":[{"name":"x","shape":[0],"datatype":"FP32","data":[]}],"outputs":[%0]}', "0,"),
    "invalid UTF-8 at the end": fill('{"inputs":"%"}', "n")[:-3] + b'\xff"}',
    "spaces": fill("%", " "),
    "a tensor of another, mixed": (
        b'{"id":"[[","inputs":[{"name":"x","datatype":"FP32","shape":[2000000],"data":['
        + b"1," * 1_999_999
        + b"[1]]}]}"
    ),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_five_hostile_megabytes_take_no_longer_than_they_are_long(body: bytes) -> None:
    started = time.process_time()
    outcome(body, {})
    assert time.process_time() - started < 5


def test_thousands_of_tensors_take_no_longer_than_they_are_long() -> None:
    tensor = '{"name":"%d","shape":[1],"datatype":"FP32","data":[[1]]}'
    body = f'{{"inputs":[{",".join(tensor % i for i in range(document.MAX_TENSORS))}]}}'.encode()
    started = time.process_time()
    assert len(v2.decode(body, {}).inputs) == document.MAX_TENSORS
    assert time.process_time() - started < 5


def test_empty_strings_by_the_million_take_no_longer_than_they_are_long() -> None:
    head = json.dumps(
        {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": MEGABYTES}}]}
    ).encode()
    started = time.process_time()
    assert "needs 1 elements, but the data has 1250000" in outcome(
        head + bytes(MEGABYTES), {v2.HEADER_LENGTH: str(len(head))}
    )
    assert time.process_time() - started < 5


def test_v1_bodies_of_megabytes_take_no_longer_than_they_are_long() -> None:
    for body in (HOSTILE["brackets"], HOSTILE["digits"], HOSTILE["unknown fields"], HOSTILE["strings"]):
        started = time.process_time()
        try:
            v1.decode(body, {})
        except InferenceError as error:
            assert error.status == 400
        assert time.process_time() - started < 5


def test_a_list_longer_than_simdjson_counts_is_read() -> None:
    """pysimdjson corrupts memory here: its lengths stop at 2**24 - 1."""
    count = 2**24 + 1
    body = wrap("BOOL", f"[{count}]", "[" + "1," * (count - 1) + "0]").encode()
    array = v2.decode(body, {}).inputs[0].data
    assert array.shape == (count,)
    assert array.sum() == count - 1
