"""The distribution API: logins, what is asked for, and every refusal with its remedy."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from modelwright.images import credentials
from modelwright.images.errors import ImageError
from modelwright.images.reference import parse
from modelwright.images.registry import Registry

from tests.unit.images.stub_registry import BASIC, PASSWORD, TOKEN, USER, Stub


def of(stub: Stub, *, pushing: bool = False) -> Registry:
    return Registry(parse(f"{stub.host}/team/iris:1"), pushing=pushing)


def log_in(folder: Path, host: str, **fields: str) -> None:
    entry = fields or {"auth": BASIC.removeprefix("Basic ")}
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


def test_a_tag_that_is_not_there_has_no_digest(registry: Stub) -> None:
    assert of(registry).digest() is None
    registry.manifests["1"] = b"{}"
    assert of(registry).digest() == "sha256:" + "1" * 64


def test_a_second_tag_copies_the_manifest_and_no_blob(registry: Stub) -> None:
    registry.manifests["1"] = b'{"layers": []}'
    of(registry).tag("2")
    assert registry.manifests["2"] == registry.manifests["1"]
    assert not [each for each in registry.asked if "/blobs/" in each]


def test_a_blob_that_is_there_is_not_sent_again(registry: Stub) -> None:
    of(registry).put_blob(b"x", "sha256:aa")
    assert registry.blobs == {"sha256:aa": b"x"}
    asked = len(registry.asked)
    of(registry).put_blob(b"x", "sha256:aa")
    assert registry.asked[asked:] == ["HEAD /v2/team/iris/blobs/sha256:aa"]


@pytest.mark.parametrize("logins", ["basic", "bearer"])
@pytest.mark.parametrize("fields", [{}, {"username": USER, "password": PASSWORD}])
def test_the_login_of_docker_is_used(registry: Stub, no_logins: Path, logins: str, fields: dict[str, str]) -> None:
    registry.logins = logins
    log_in(no_logins, f"https://{registry.host}/v1/", **fields)
    of(registry, pushing=True).may_push()
    assert registry.asked[-1].startswith("DELETE")
    if logins == "bearer":
        assert "scope=repository%3Ateam%2Firis%3Apull%2Cpush" in registry.scopes[0]


def test_a_helper_is_asked_for_the_login(registry: Stub, no_logins: Path, programs: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text(json.dumps({"credHelpers": {registry.host: "stub"}}))
    helper = programs / "docker-credential-stub"
    helper.write_text(f'#!/bin/sh\nread host\necho \'{{"Username":"{USER}","Secret":"{PASSWORD}"}}\'\n')
    helper.chmod(0o755)
    assert of(registry).digest() is None


def test_a_helper_that_is_not_installed_is_named(registry: Stub, no_logins: Path, programs: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text(json.dumps({"credsStore": "desktop"}))
    with pytest.raises(ImageError, match=r"docker-credential-desktop, which docker's config.json names"):
        of(registry).digest()


def test_a_config_that_is_no_json_is_named(registry: Stub, no_logins: Path) -> None:
    registry.logins = "basic"
    (no_logins / "config.json").write_text("{")
    with pytest.raises(ImageError, match=r"config\.json, where registries' logins are, cannot be read"):
        of(registry).digest()


@pytest.mark.parametrize("logins", ["basic", "bearer"])
def test_without_a_login_the_remedy_is_to_log_in(registry: Stub, logins: str) -> None:
    registry.logins = logins
    with pytest.raises(ImageError, match=rf"wants a login for team/iris .*: docker login {registry.host}$"):
        of(registry, pushing=True).may_push()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "does not let you use team/iris (the stub was told to refuse): log in as somebody who may"),
        (404, "check the spelling, or create the repository there"),
        (429, "has had too many requests of yours"),
        (500, "answered 500 for team/iris (the stub was told to refuse): its own logs say more"),
    ],
)
def test_a_refusal_names_the_remedy(registry: Stub, status: int, said: str) -> None:
    registry.refuse = status
    with pytest.raises(ImageError) as caught:
        of(registry, pushing=True).may_push()
    assert said in str(caught.value)
    assert registry.host in str(caught.value)


def test_a_registry_that_is_down_is_said_to_be() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ImageError, match=f"the registry {host} does not answer .*HTTPS_PROXY and NO_PROXY"):
        Registry(parse(f"{host}/a")).digest()


def test_this_machine_is_behind_no_proxy(registry: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert of(registry).digest() is None


def test_no_login_is_ever_shown(registry: Stub, no_logins: Path) -> None:
    registry.logins, registry.refuse = "bearer", 403
    log_in(no_logins, registry.host)
    asked = of(registry, pushing=True)
    with pytest.raises(ImageError) as caught:
        asked.may_push()
    shown = f"{caught.value} {asked!r} {credentials.login(registry.host)!r}"
    assert PASSWORD not in shown
    assert TOKEN not in shown
    assert BASIC.split()[1] not in shown
