from __future__ import annotations

import gzip
import os
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.errors import InvalidInput, Overloaded, TooLarge, UnsupportedMediaType
from modelwright.server.admission import Admission
from modelwright.server.limits import deadline, decompress

LIMIT = 4 * 1024 * 1024


def raw_deflate(body: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeezer.compress(body) + squeezer.flush()


@pytest.mark.parametrize(
    ("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
@pytest.mark.parametrize("body", [b"", b"{}", b"a" * LIMIT, os.urandom(1_000_000)], ids=["0", "2", "4M", "random"])
def test_what_was_compressed_comes_back(encoding, squeeze, body):
    assert decompress(squeeze(body), encoding, LIMIT) == body


@given(st.binary(max_size=300))
def test_anything_else_is_invalid(body):
    try:
        decompress(body, "gzip", LIMIT)
    except InvalidInput:
        return
    assert gzip.decompress(body) is not None


@pytest.mark.parametrize("cut", [slice(None, -1), slice(None, 12), slice(0, 0)])
def test_a_body_that_ends_early_is_invalid(cut):
    with pytest.raises(InvalidInput, match="too early"):
        decompress(gzip.compress(b"abc" * 1000)[cut], "gzip", LIMIT)


def test_a_body_that_goes_on_is_invalid():
    with pytest.raises(InvalidInput, match="after its end"):
        decompress(gzip.compress(b"abc") + b"more", "gzip", LIMIT)


def test_a_bomb_is_noticed_before_it_fills_the_memory():
    bomb = gzip.compress(bytes(300 * 1024 * 1024), 9)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(bomb, "gzip", LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 3 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_another_encoding_is_unsupported(encoding):
    with pytest.raises(UnsupportedMediaType):
        decompress(b"", encoding, LIMIT)


def test_the_bound_is_what_works_and_what_waits():
    admission = Admission(2, 1)
    entered = [admission.enter() for _ in range(3)]
    with pytest.raises(Overloaded) as refused:
        admission.enter()
    assert refused.value.retry_after >= 1
    admission.leave(entered[0])
    admission.enter()
    assert admission.in_flight == 3


def test_retry_after_grows_with_what_waits():
    admission = Admission(1, 9)
    for _ in range(60):
        admission.leave(admission.enter() - 2)  # as if each took two seconds
    for _ in range(10):
        admission.enter()
    with pytest.raises(Overloaded) as refused:
        admission.check()
    assert 15 <= refused.value.retry_after <= 21


def test_a_deadline_is_a_number_of_seconds():
    assert deadline({}) is None
    assert deadline({"x-request-timeout": "1.5"}) == 1.5
    for bad in ("", "soon", "-1", "0", "nan", "inf"):
        with pytest.raises(InvalidInput):
            deadline({"x-request-timeout": bad})


def test_leaving_tells_how_long_it_took():
    admission = Admission(1, 1)
    entered = admission.enter()
    time.sleep(0.01)
    assert 0.01 <= admission.leave(entered) < 1
