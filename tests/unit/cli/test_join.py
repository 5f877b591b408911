"""What `modelwright join` refuses before it starts anything."""

import importlib.util
import socket

import pytest
from modelwright.cli import main


@pytest.fixture(autouse=True)
def address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")


@pytest.mark.parametrize("given", [None, "", "head", "auto", "local"])
def test_an_address_is_needed(
    given: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    if given is None:
        monkeypatch.delenv("RAY_ADDRESS")
    else:
        monkeypatch.setenv("RAY_ADDRESS", given)
    assert main(["join"]) == 2
    assert "set RAY_ADDRESS, for example to my-model-head:6379" in capsys.readouterr().err


def test_ray_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["join"]) == 2
    assert "add ray, or modelwright[ray], to the requirements" in capsys.readouterr().err


def test_a_word_too_many_is_named(capsys: pytest.CaptureFixture) -> None:
    assert main(["join", "10.0.0.1:6379"]) == 2
    assert "join has no 10.0.0.1:6379" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["join", f"--http_port={port}"]) == 2
    assert f"port {port} cannot be listened on" in capsys.readouterr().err
