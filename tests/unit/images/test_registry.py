"""The distribution API: logins, what is asked for, and every refusal with its remedy."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from modelwright.images import credentials
from modelwright.images.errors import ImageError
from modelwright.images.reference import parse
from modelwright.images.registry import registry as registries
from modelwright.registry.reference import Reference

from tests.unit.images.stub_registry import BASIC, PASSWORD, TOKEN, USER, Stub


def image(stub: Stub) -> Reference:
    return parse(f"{stub.host}/team/iris:1")


def log_in(folder: Path, host: str, **fields: str) -> None:
    entry = fields or {"auth": BASIC.removeprefix("Basic ")}
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


def test_a_tag_that_is_not_there_has_no_digest(registry: Stub) -> None:
    assert registries().digest(image(registry)) is None
    registry.manifests["1"] = b"{}"
    assert registries().digest(image(registry)) == "sha256:" + "1" * 64


def test_a_second_tag_copies_the_manifest_and_no_blob(registry: Stub) -> None:
    registry.manifests["1"] = b'{"layers": []}'
    registries().tag(image(registry), "2")
    assert registry.manifests["2"] == registry.manifests["1"]
    assert not [each for each in registry.asked if "/blobs/" in each]


def test_a_blob_that_is_there_is_not_sent_again(registry: Stub) -> None:
    registries().put_blob(image(registry), b"x", "sha256:aa")
    assert registry.blobs == {"sha256:aa": b"x"}
    asked = len(registry.asked)
    registries().put_blob(image(registry), b"x", "sha256:aa")
    assert registry.asked[asked:] == ["HEAD /v2/team/iris/blobs/sha256:aa"]


@pytest.mark.parametrize("logins", ["basic", "bearer"])
@pytest.mark.parametrize("fields", [{}, {"username": USER, "password": PASSWORD}])
def test_the_login_of_docker_is_used(registry: Stub, no_logins: Path, logins: str, fields: dict[str, str]) -> None:
    registry.logins = logins
    log_in(no_logins, f"https://{registry.host}/v1/", **fields)
    registries().may_push(image(registry))
    assert registry.asked[-1].startswith("DELETE")
    if logins == "bearer":
        assert "scope=repository%3Ateam%2Firis%3Apull%2Cpush" in registry.scopes[0]


def test_a_token_to_read_becomes_one_to_push_and_each_is_asked_for_once(registry: Stub, no_logins: Path) -> None:
    registry.logins = "bearer"
    log_in(no_logins, registry.host)
    asked = registries()
    assert asked.digest(image(registry)) is None
    asked.put_blob(image(registry), b"x", "sha256:aa")
    asked.put_blob(image(registry), b"y", "sha256:bb")
    assert registry.blobs == {"sha256:aa": b"x", "sha256:bb": b"y"}
    assert [scope.rpartition("%3A")[2] for scope in registry.scopes] == ["pull", "pull%2Cpush"]


def test_a_login_is_not_shown_where_a_strange_scheme_asks_for_it(registry: Stub, no_logins: Path) -> None:
    registry.logins, registry.realm = "bearer", "ftp://tokens.example.com/"
    log_in(no_logins, registry.host)
    with pytest.raises(ImageError, match=r"asks for a token from 'ftp://tokens.example.com/'. Use HTTPS for it."):
        registries().digest(image(registry))


def test_a_helper_is_asked_for_the_login(registry: Stub, no_logins: Path, programs: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text(json.dumps({"credHelpers": {registry.host: "stub"}}))
    helper = programs / "docker-credential-stub"
    helper.write_text(f'#!/bin/sh\nread host\necho \'{{"Username":"{USER}","Secret":"{PASSWORD}"}}\'\n')
    helper.chmod(0o755)
    assert registries().digest(image(registry)) is None


def test_a_helper_that_is_not_installed_is_named(registry: Stub, no_logins: Path, programs: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text(json.dumps({"credsStore": "desktop"}))
    with pytest.raises(ImageError, match=r"docker-credential-desktop, which docker's config.json names"):
        registries().digest(image(registry))


def test_a_config_that_is_no_json_is_named(registry: Stub, no_logins: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text("{")
    with pytest.raises(ImageError, match=r"config\.json, where registries' logins are, cannot be read"):
        registries().digest(image(registry))


@pytest.mark.parametrize("logins", ["basic", "bearer"])
def test_without_a_login_the_remedy_is_to_log_in(registry: Stub, logins: str) -> None:
    registry.logins = logins
    said = rf"^{registry.host}/team/iris:1: .* 401 Unauthorized .*Log in: docker login {registry.host}$"
    with pytest.raises(ImageError, match=said):
        registries().may_push(image(registry))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "answers 403 Forbidden (the stub was told to refuse). Log in to"),
        (404, "Check the spelling, or create the repository there."),
        (429, "429 Too Many Requests"),
        (500, "answers 500 Internal Server Error (the stub was told to refuse). Its own logs say more."),
    ],
)
def test_a_refusal_names_the_remedy(registry: Stub, status: int, said: str) -> None:
    registry.refuse = status
    with pytest.raises(ImageError) as caught:
        registries().may_push(image(registry))
    assert said in str(caught.value)
    assert registry.host in str(caught.value)


def test_a_registry_that_is_down_is_said_to_be() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ImageError, match=f"the registry {host} does not answer: .*HTTPS_PROXY and NO_PROXY"):
        registries().digest(parse(f"{host}/a"))


def test_this_machine_is_behind_no_proxy(registry: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert registries().digest(image(registry)) is None


def test_no_login_is_ever_shown(registry: Stub, no_logins: Path) -> None:
    registry.logins, registry.refuse = "bearer", 403
    log_in(no_logins, registry.host)
    asked = registries()
    with pytest.raises(ImageError) as caught:
        asked.may_push(image(registry))
    shown = f"{caught.value} {asked!r} {credentials.login(registry.host)!r}"
    assert PASSWORD not in shown
    assert TOKEN not in shown
    assert BASIC.split()[1] not in shown
