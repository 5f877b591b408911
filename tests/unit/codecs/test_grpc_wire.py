"""Cutting raw contents out of a message: always what protobuf itself would have read."""

import os
import random

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.codecs.proto import wire
from modelwright.errors import InvalidInput


def large_request() -> bytes:
    data = np.arange(8000, dtype=np.float32)
    return pb.ModelInferRequest(
        model_name="m",
        inputs=[{"name": "x", "datatype": "FP32", "shape": [8000]}, {"name": "y", "datatype": "UINT8", "shape": [3]}],
        raw_input_contents=[data.tobytes(), b"abc"],
    ).SerializeToString()


@given(st.integers(0, 2**32))
@settings(max_examples=200)
def test_cutting_agrees_with_protobuf_on_every_message_it_cuts(seed):
    chance = random.Random(seed)
    body = bytearray(large_request())
    for _ in range(chance.randrange(0, 4)):
        body[chance.choice([chance.randrange(60), -1 - chance.randrange(40)])] = chance.randrange(256)
    rest, taken = wire.cut(bytes(body), 7)
    try:
        whole = pb.ModelInferRequest.FromString(bytes(body))
    except DecodeError:
        # What protobuf refuses, cutting has to leave refusable.
        with pytest.raises(InvalidInput):
            codec.decode(bytes(body), {})
        return
    parsed = pb.ModelInferRequest.FromString(rest)
    assert [bytes(piece) for piece in taken] + list(parsed.raw_input_contents) == list(whole.raw_input_contents)
    parsed.ClearField("raw_input_contents")
    whole.ClearField("raw_input_contents")
    assert parsed == whole


def test_cutting_keeps_what_is_split_around_raw_contents():
    raw = os.urandom(20_000)
    pieces = [
        pb.ModelInferRequest(model_name="m").SerializeToString(),
        wire.append(b"", 7, [raw]),
        pb.ModelInferRequest(id="1").SerializeToString(),
        wire.append(b"", 7, [b""]),
    ]
    rest, taken = wire.cut(b"".join(pieces), 7)
    assert pb.ModelInferRequest.FromString(rest) == pb.ModelInferRequest(model_name="m", id="1")
    assert [bytes(piece) for piece in taken] == [raw, b""]
