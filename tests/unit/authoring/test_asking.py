"""What is made of a request before it is sent."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from modelwright.authoring.asking import documents, given, picture
from modelwright.authoring.asking.endpoint import Endpoint, Reply
from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata
from PIL import Image

ONE = ModelMetadata("m", inputs=(TensorMetadata("x", "FP32", (-1, 2)),))
TWO = ModelMetadata("m", inputs=(*ONE.inputs, TensorMetadata("y", "FP32", (1,))))
TENSOR = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("document", "protocol"),
    [
        ({"inputs": [TENSOR]}, "v2"),
        ({"instances": []}, "v1"),
        ({"inputs": [[1, 2]]}, "v1"),
        ({}, "v1"),
        ([[1, 2]], "v2"),
    ],
)
def test_a_document_tells_its_protocol(document: object, protocol: str) -> None:
    assert documents.protocol_of(document, ("v1", "v2")) == protocol


def test_a_bare_list_becomes_what_the_protocol_has() -> None:
    assert documents.body([[1, 2], [3, 4]], "v2", ONE) == {"inputs": [TENSOR]}
    assert documents.body({"instances": [[1, 2], [3, 4]]}, "v2", ONE) == {"inputs": [TENSOR]}
    assert documents.body([[1, 2]], "v1", None) == {"instances": [[1, 2]]}
    assert documents.body(7, "v1", None) == {"instances": [7]}
    assert documents.body([], "v2", ONE)["inputs"][0]["shape"] == [0]
    with pytest.raises(Mistake, match="this one declares x, y: write"):
        documents.body([[1]], "v2", TWO)
    with pytest.raises(Mistake, match="this one declares none"):
        documents.body([[1]], "v2", None)
    with pytest.raises(Mistake, match="a V2 request has 'inputs'"):
        documents.body({"x": 1}, "v2", ONE)


@pytest.mark.parametrize(
    ("datatype", "shape", "expected", "first"),
    [
        ("FP32", (-1, 3, 8, 6), (1, 3, 8, 6), 1.0),
        ("UINT8", (-1, -1, -1, 3), (1, 16, 12, 3), 255),
        ("FP64", (1, 8, 8), (1, 8, 8), 0.2980392156862745),
        ("INT32", (4, 4, 4), (4, 4, 4), 255),
    ],
)
def test_pixels_are_in_the_declared_layout_size_and_datatype(
    datatype: str, shape: tuple[int, ...], expected: tuple[int, ...], first: float
) -> None:
    red = io.BytesIO()
    Image.new("RGB", (12, 16), (255, 0, 0)).save(red, "PNG")
    request = picture.in_v2(red.getvalue(), TensorMetadata("x", datatype, shape), "pixels", "red.png")
    (tensor,) = request.inputs
    assert (tensor.shape, tensor.data.dtype.kind) == (expected, np.dtype(tensor.data.dtype).kind)
    assert tensor.data.ravel()[0] == pytest.approx(first)


def test_what_is_no_image_and_no_images_input_is_named(tmp_path: Path) -> None:
    cut = b"\x89PNG\r\n\x1a\n and no more"
    with pytest.raises(Mistake, match=r"a\.png cannot be read as an image"):
        picture.in_v2(cut, TensorMetadata("x", "FP32", (3, 4, 4)), "pixels", "a.png")
    with pytest.raises(Mistake, match="name the input that takes the image with --input; the model declares: x, y"):
        picture.chosen(TWO, None)
    assert picture.chosen(TWO, "y").name == "y"
    assert picture.chosen(ModelMetadata("m"), "image") == TensorMetadata("image", "BYTES", (1,))


def test_lines_of_jsonl_are_named_and_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("[1]\n\n[2]\n")
    assert [(each.source, each.value) for each in given.from_file(file)] == [(f"{file}:1", [1]), (f"{file}:3", [2])]
    file.write_text("[1]\n{\n")
    with pytest.raises(Mistake, match=r"many.jsonl:2 is no JSON"):
        list(given.from_file(file))
    file.write_text("\n")
    with pytest.raises(Mistake, match="is empty: expected one JSON request a line"):
        list(given.from_file(file))


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port", "grpc://host:1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Mistake, match="is no address; expected http://HOST:PORT"):
        Endpoint(url, {}, 1)


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert Endpoint("https://user:hunter2@host/prefix/", {}, 1).url == "https://host/prefix"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "wrong"}', "wrong"),
        (b'{"detail": [{"loc": 1}]}', '[{"loc": 1}]'),
        (b"<html>no</html>", "<html>no</html>"),
        (b"", "(nothing)"),
        (b"[1]", "[1]"),
    ],
)
def test_an_error_is_told_as_the_server_said_it(body: bytes, said: str) -> None:
    assert Reply(400, {}, body).error == said
