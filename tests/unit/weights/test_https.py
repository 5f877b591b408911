import json
import random

import pytest
from modelwright.weights import transfer
from modelwright.weights.errors import WeightsError
from modelwright.weights.fetch import fetch
from modelwright.weights.https import headers_for

CONTENT = random.Random(3).randbytes(300_000)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(transfer, "PART", 100_000)
    monkeypatch.setitem(transfer.Transfer.__init__.__kwdefaults__, "pause", 0.01)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', None])
def test_a_file_arrives_under_its_own_name(web, tmp_path, ranges, etag):
    uri = web.file("/some/where/model%20one.bin", CONTENT, ranges=ranges, etag=etag)
    assert fetch(uri, tmp_path / "models", {}) == ["model one.bin"]
    assert (tmp_path / "models" / "model one.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [
        ".modelwright.json",
        "model one.bin",
    ]


def test_ranges_are_fetched_in_parts(web, tmp_path):
    fetch(web.file("/m.bin", CONTENT), tmp_path, {})
    wanted = {headers.get("range") for _, headers in web.requests}
    assert wanted == {"bytes=0-0", "bytes=0-99999", "bytes=100000-199999", "bytes=200000-299999"}


def test_an_empty_file_is_kept(web, tmp_path):
    fetch(web.file("/m.bin", b"", ranges=False), tmp_path, {})
    assert (tmp_path / "m.bin").read_bytes() == b""


def test_a_second_run_fetches_nothing(web, tmp_path):
    uri = web.file("/m.bin", CONTENT)
    fetch(uri, tmp_path, {})
    before = len(web.requests)
    assert fetch(uri, tmp_path, {}) == ["m.bin"]
    assert [headers["range"] for _, headers in web.requests[before:]] == ["bytes=0-0"]


def test_a_file_that_changed_is_fetched_again(web, tmp_path):
    fetch(web.file("/m.bin", CONTENT), tmp_path, {})
    fetch(web.file("/m.bin", b"new", etag='"v2"'), tmp_path, {})
    assert (tmp_path / "m.bin").read_bytes() == b"new"


def test_a_broken_connection_is_continued_where_it_broke(web, tmp_path):
    uri = web.file("/m.bin", CONTENT)
    whole = web.pages["/m.bin"]
    broken = []

    def half(request):
        status, headers, body = whole(request)
        if len(body) > 1000 and not broken:
            broken.append(request.headers["Range"])
            return status, {**headers, "Content-Length": str(len(body))}, body[:50_000]
        return status, headers, body

    web.pages["/m.bin"] = half
    fetch(uri, tmp_path, {})
    assert (tmp_path / "m.bin").read_bytes() == CONTENT
    first, _, last = broken[0].removeprefix("bytes=").partition("-")
    assert f"bytes={int(first) + 50_000}-{last}" in {headers.get("range") for _, headers in web.requests}


def test_what_a_failed_run_fetched_is_not_fetched_again_and_not_published(web, tmp_path, monkeypatch):
    uri = web.file("/m.bin", CONTENT)
    whole = web.pages["/m.bin"]

    def last_part_fails(request):
        return (404, {}, b"") if request.headers["Range"] == "bytes=200000-299999" else whole(request)

    monkeypatch.setattr(transfer.Transfer.__init__, "__kwdefaults__", {"workers": 1, "attempts": 1, "pause": 0.0})
    web.pages["/m.bin"] = last_part_fails
    with pytest.raises(WeightsError, match="404"):
        fetch(uri, tmp_path, {})
    assert not (tmp_path / "m.bin").exists()
    web.pages["/m.bin"] = whole
    before = len(web.requests)
    fetch(uri, tmp_path, {})
    assert (tmp_path / "m.bin").read_bytes() == CONTENT
    assert [headers["range"] for _, headers in web.requests[before:]] == ["bytes=0-0", "bytes=200000-299999"]


def test_a_file_that_changes_while_it_is_fetched_is_refused(web, tmp_path):
    uri = web.file("/m.bin", CONTENT)
    first, second = (
        web.pages["/m.bin"],
        (web.file("/m.bin", CONTENT[::-1], etag='"v2"'), web.pages["/m.bin"])[1],
    )
    web.pages["/m.bin"] = lambda request: (first if request.headers["Range"] == "bytes=0-0" else second)(request)
    with pytest.raises(WeightsError, match="changed while it was fetched"):
        fetch(uri, tmp_path, {})
    assert not (tmp_path / "m.bin").exists()


def redirect(web, path, location, status=302):
    web.pages[path] = lambda _: (status, {"Location": location}, b"")
    return web.url + path


def test_a_redirect_is_followed(web, tmp_path):
    target = web.file("/real/m.bin", CONTENT)
    fetch(redirect(web, "/latest.bin", target), tmp_path, {})
    assert (tmp_path / "latest.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://[fd00:ec2::254]/latest/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
    ],
)
def test_a_redirect_to_the_metadata_service_or_another_scheme_is_refused(web, tmp_path, location):
    with pytest.raises(WeightsError, match=r"(?i)link-local or metadata|leads from http to|redirection.*not allowed"):
        fetch(redirect(web, "/m.bin", location), tmp_path, {})


def test_a_redirect_loop_ends(web, tmp_path):
    with pytest.raises(WeightsError, match="302"):
        fetch(redirect(web, "/m.bin", web.url + "/m.bin"), tmp_path, {})


def test_headers_of_the_secret_go_to_their_host_alone(web, tmp_path):
    host = web.url.removeprefix("http://")
    target = web.file("/real/m.bin", CONTENT)
    uri = redirect(web, "/m.bin", target.replace("127.0.0.1", "localhost"))
    env = {
        "https-host": host,
        "headers": json.dumps({"X-Api-Key": "s3cret", "Authorization": "Bearer s3cret"}),
    }
    fetch(uri, tmp_path, env)
    sent = [(path, "s3cret" in str(headers)) for path, headers in web.requests]
    assert {secret for path, secret in sent if path == "/m.bin"} == {True}
    assert {secret for path, secret in sent if path == "/real/m.bin"} == {False}


def test_kserves_name_for_the_headers_works_and_other_hosts_get_none():
    env = {"models.example.com-headers": '{"X-Key": "1"}'}
    assert headers_for("https://models.example.com/m.bin", env) == {"X-Key": "1"}
    assert headers_for("https://other.example.com/m.bin", env) == {}


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"a": 1}'])
def test_headers_that_are_no_object_of_strings_are_refused_without_showing_them(text):
    with pytest.raises(WeightsError, match="not a JSON object of strings") as caught:
        headers_for("https://h/m.bin", {"h-headers": text})
    assert text == "" or text not in str(caught.value)


def test_a_web_page_instead_of_a_file_is_refused(web, tmp_path):
    web.pages["/m.bin"] = lambda _: (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>Log in")
    with pytest.raises(WeightsError, match="web page"):
        fetch(web.url + "/m.bin", tmp_path, {})


@pytest.mark.parametrize(("status", "remedy"), [(401, "https-host"), (403, "expired"), (404, "Correct the URL")])
def test_an_answer_that_refuses_says_what_to_do(web, tmp_path, status, remedy):
    web.pages["/m.bin"] = lambda _: (status, {}, b"")
    with pytest.raises(WeightsError, match=remedy):
        fetch(web.url + "/m.bin?token=s3cret", tmp_path, {})


def test_a_host_that_does_not_answer_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"http://127\.0\.0\.1:9/m\.bin: ConnectionRefusedError"):
        fetch("http://127.0.0.1:9/m.bin", tmp_path, {})
