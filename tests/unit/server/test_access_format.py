from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from modelwright.server.rest.access_format import AccessFormat

REQUEST = SimpleNamespace(
    method="POST",
    path="/v1/models/ü:predict",
    query=b"a=1",
    version="1.1",
    client=("10.0.0.7", 4711),
    headers=[(b"user-agent", b"curl/8"), (b"x-tenant", b"blue\x85"), (b"authorization", b"Bearer s3cret")],
)


def line(text: str, size: int | None = 12, status: int = 200) -> str:
    return AccessFormat(text).line(REQUEST, status, [(b"x-model", b"sum")], size, 1.2345678)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%(h)s %(client_addr)s %(l)s %(u)s", "10.0.0.7:4711 10.0.0.7:4711 - -"),
        (
            "%(r)s|%(request_line)s",
            "POST /v1/models/%C3%BC:predict HTTP/1.1|POST /v1/models/%C3%BC:predict?a=1 HTTP/1.1",
        ),
        ("%(m)s %(U)s %(q)s %(H)s", "POST /v1/models/%C3%BC:predict a=1 HTTP/1.1"),
        ("%(s)s %(st)s %(status_code)s", "200 OK 200 OK"),
        ("%(B)s %(b)s %({Content-Length}o)s", "12 12 12"),
        ("%(f)s %(a)s", "- curl/8"),
        ("%(T)s %(M)s %(D)s %(L)s", "1 1234 1234567 1.234568"),
        ("%(m)s 100%%", "POST 100%"),
        ("%({X-Tenant}i)s %({x-model}o)s %({x-none}i)s", "blue? sum -"),
    ],
)
def test_writes_asgi_loggers_atoms(text, expected):
    assert line(text) == expected


def test_writes_the_process():
    assert line("%(p)s") == f"<{os.getpid()}>"


def test_an_answer_in_pieces_has_no_size_and_an_unknown_status_no_phrase():
    assert line("%(b)s %(st)s", size=None, status=299) == "- -"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("%(nope)s", "%(nope)s"),
        ("%(h)d", "%(h)d"),
        ("%(h)", "%(h)"),
        ("%h %l", "%h"),
        ("100%", "%"),
        ("%({authorization}i)s", "secret"),
        ("%({Set-Cookie}o)s", "secret"),
        ("%({x-api-key}i)s", "secret"),
        ("%({home}e)s", "secret"),
    ],
)
def test_refuses_what_it_cannot_or_must_not_write(text, named):
    with pytest.raises(ValueError, match="--access_log_format") as raised:
        AccessFormat(text)
    assert named in str(raised.value)
