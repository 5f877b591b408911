"""Forms: their fields, and what is none."""

from __future__ import annotations

import pytest
import requests
from modelwright.errors import InvalidInput
from modelwright.styles.nos.multipart import Field, read

KIND = 'multipart/form-data; boundary="b 1"'


def form(*parts: bytes, last: bytes = b"--b 1--\r\n") -> bytes:
    return b"".join(b"--b 1\r\n" + part + b"\r\n" for part in parts) + last


def test_fields_and_files_are_what_was_sent() -> None:
    content = b"\r\n\r\n--b\r\n\n\x00--b 2"
    found = read(
        b"preamble\r\n"
        + form(
            b'Content-Disposition: form-data; name="model_id"\r\n\r\na/b',
            b'content-disposition: form-data; name="file"; filename="a b.png"\r\nContent-Type: image/png\r\n\r\n'
            + content,
            b'Content-Disposition: form-data; name="empty"\r\n\r\n',
        ),
        KIND,
    )
    assert found == {"model_id": Field(b"a/b"), "file": Field(content, "a b.png"), "empty": Field(b"")}
    assert found["model_id"].text == "a/b"


def test_the_client_s_library_is_understood() -> None:
    sent = requests.Request("POST", "http://x", data={"model_id": "m"}, files={"file": ("ä.wav", b"\x00\r")}).prepare()
    assert isinstance(sent.body, bytes)
    found = read(sent.body, str(sent.headers["Content-Type"]))
    assert (found["model_id"].content, found["file"].content) == (b"m", b"\x00\r")
    assert str(found["file"].filename).endswith(".wav")


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"{}", "application/json", "must be a form"),
        (b"", "", "must be a form"),
        (b"", "multipart/form-data", "must be a form"),
        (b"", KIND, "ends before its last boundary"),
        (form(b'Content-Disposition: form-data; name="a"\r\n\r\nb', last=b""), KIND, "ends before its last boundary"),
        (form(b"no header"), KIND, "no header that ends"),
        (b"--b 1x\r\n\r\n\r\n--b 1--", KIND, "no header that ends"),
        (form(b"Content-Disposition: form-data\r\n\r\nb"), KIND, "has no name"),
        (form(b"\r\nb"), KIND, "has no name"),
    ],
)
def test_what_is_no_form_is_the_callers(body: bytes, kind: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read(body, kind)
