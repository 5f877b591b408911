"""Malformed requests: a 4xx within five seconds that says what is wrong and nothing about the server's insides."""

from __future__ import annotations

import gzip
import json
import time

import numpy as np
import pytest

from tests.conformance.test_server_routes import INFER

V1, V2 = "/v1/models/sum:predict", "/v2/models/sum/infer"


def tensor(**changes) -> dict:
    return {"inputs": [{**INFER["inputs"][0], **changes}]}


def without(key: str) -> dict:
    return {"inputs": [{name: value for name, value in INFER["inputs"][0].items() if name != key}]}


def binary(size: object, raw: bytes, length: object = None, **changes) -> tuple[bytes, dict[str, str]]:
    changes = {"parameters": {"binary_data_size": size}, **changes}
    document = without("data")
    document["inputs"][0].update(changes)
    text = json.dumps(document).encode()
    return text + raw, {"inference-header-content-length": str(len(text) if length is None else length)}


RAW = np.zeros(4, "<f4").tobytes()
CASES = {
    "v1 empty body": (V1, b""),
    "v1 no json": (V1, b"instances"),
    "v1 cut json": (V1, b'{"instances": [[1, 2'),
    "v1 a list": (V1, b"[1, 2]"),
    "v1 a number": (V1, b"3"),
    "v1 null": (V1, b"null"),
    "v1 instances no list": (V1, {"instances": "x"}),
    "v1 not utf-8": (V1, b'{"instances": ["\xff\xfe"]}'),
    "v1 too deep": (V1, b"[" * 100_000),
    "v1 two documents": (V1, b'{"instances": []}{"instances": []}'),
    "v1 unknown model": ("/v1/models/nobody:predict", {"instances": []}),
    "v1 unknown verb": ("/v1/models/sum:destroy", {"instances": []}),
    "v2 empty body": (V2, b""),
    "v2 no json": (V2, b"\x00\x01\x02"),
    "v2 a list": (V2, []),
    "v2 no inputs": (V2, {}),
    "v2 empty inputs": (V2, {"inputs": []}),
    "v2 inputs no list": (V2, {"inputs": {"x": 1}}),
    "v2 an input that is a number": (V2, {"inputs": [1]}),
    "v2 no name": (V2, without("name")),
    "v2 no datatype": (V2, without("datatype")),
    "v2 no shape": (V2, without("shape")),
    "v2 no data": (V2, without("data")),
    "v2 unknown datatype": (V2, tensor(datatype="FP33")),
    "v2 another datatype": (V2, tensor(datatype="INT32")),
    "v2 negative shape": (V2, tensor(shape=[-1, 4])),
    "v2 overflowing shape": (V2, tensor(shape=[2**62, 2**62])),
    "v2 fractional shape": (V2, tensor(shape=[1.5, 4])),
    "v2 shape of text": (V2, tensor(shape="1,4")),
    "v2 data too short": (V2, tensor(data=[1, 2])),
    "v2 data too long": (V2, tensor(data=[1, 2, 3, 4, 5])),
    "v2 data of text": (V2, tensor(data=["a", "b", "c", "d"])),
    "v2 data of truth values": (V2, tensor(data=[True, False, True, False])),
    "v2 ragged data": (V2, tensor(data=[[1, 2], [3]])),
    "v2 another input": (V2, tensor(name="y")),
    "v2 an extra input": (V2, {"inputs": [INFER["inputs"][0], {**INFER["inputs"][0], "name": "y"}]}),
    "v2 an input twice": (V2, {"inputs": [INFER["inputs"][0], INFER["inputs"][0]]}),
    "v2 unknown model": ("/v2/models/nobody/infer", INFER),
    "v2 unknown version": ("/v2/models/sum/versions/9/infer", INFER),
    "v2 unknown path": ("/v2/models/sum/outfer", INFER),
    "binary too short": (V2, *binary(16, RAW[:8])),
    "binary too long": (V2, *binary(16, RAW + RAW)),
    "binary size negative": (V2, *binary(-16, RAW)),
    "binary size of text": (V2, *binary("16", RAW)),
    "binary size huge": (V2, *binary(2**63, RAW)),
    "binary size against shape": (V2, *binary(8, RAW[:8])),
    "binary header too long": (V2, *binary(16, RAW, length=10**6)),
    "binary header negative": (V2, *binary(16, RAW, length=-1)),
    "binary header of text": (V2, *binary(16, RAW, length="ten")),
    "encoding unknown": (V2, b"{}", {"content-encoding": "br"}),
    "encoding a lie": (V2, json.dumps(INFER).encode(), {"content-encoding": "gzip"}),
    "encoding cut": (V2, gzip.compress(json.dumps(INFER).encode())[:-9], {"content-encoding": "gzip"}),
    "encoding a bomb": (V2, gzip.compress(b" " * 50_000_000), {"content-encoding": "gzip"}),
    "deadline of text": (V2, json.dumps(INFER).encode(), {"x-request-timeout": "soon"}),
}


@pytest.mark.parametrize("case", CASES)
def test_is_refused(server, case):
    path, body, *headers = CASES[case]
    begun = time.monotonic()
    reply = server.ask("POST", path, body, headers[0] if headers else None, timeout=6)
    assert 400 <= reply.status < 500, reply.body
    assert time.monotonic() - begun < 5
    assert reply.json["error"]
    for inside in (b"Traceback", b".py", b"/work", b"site-packages", b"0x"):
        assert inside not in reply.body
    assert server.live()


@pytest.mark.parametrize(("method", "path", "allow"), [("GET", V2, "POST"), ("DELETE", "/v2", "GET, HEAD")])
def test_another_method_is_a_405(server, method, path, allow):
    reply = server.ask(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allow)
