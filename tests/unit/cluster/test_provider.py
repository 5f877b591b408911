from __future__ import annotations

from pathlib import Path

import pytest

from cluster import provider
from cluster.info import ClusterError, NotRunningError
from cluster.kind.detection import Verdict, reason


def untried() -> Verdict:
    raise AssertionError("nothing is to be tried out")


def test_what_the_user_asks_for_is_not_questioned() -> None:
    assert provider.choose("native", untried) == ("native", "MODELWRIGHT_CLUSTER")


def test_a_provider_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ClusterError, match=r"MODELWRIGHT_CLUSTER=minikube: .* use kind, native, existing"):
        provider.choose("minikube", untried)


def test_kind_is_taken_where_the_trial_succeeds() -> None:
    assert provider.choose(None, lambda: Verdict(True, "it runs")) == ("kind", "it runs")


def test_native_is_taken_where_it_fails_and_the_reason_is_kept() -> None:
    assert provider.choose(None, lambda: Verdict(False, "no daemon")) == ("native", "no daemon")


def test_nothing_noted_means_nothing_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_STATE", str(tmp_path))
    monkeypatch.delenv("MODELWRIGHT_CLUSTER", raising=False)
    with pytest.raises(NotRunningError, match="make cluster"):
        provider.current()


def test_the_choice_is_noted_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELWRIGHT_STATE", str(tmp_path))
    monkeypatch.setenv("MODELWRIGHT_CLUSTER", "native")
    assert provider.detect().name == "native"
    monkeypatch.delenv("MODELWRIGHT_CLUSTER")
    assert provider.detect().name == "native"
    assert provider.current().name == "native"
    assert capsys.readouterr().err == "provider: native (MODELWRIGHT_CLUSTER)\n"


def test_another_provider_may_be_asked_for_while_nothing_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_STATE", str(tmp_path))
    for name in ("native", "kind"):
        monkeypatch.setenv("MODELWRIGHT_CLUSTER", name)
        assert provider.detect().name == name


def test_of_dockers_words_the_error_is_kept() -> None:
    words = (
        "docker: Error response from daemon: unable to apply caps: operation not permitted.\n\n"
        "Run 'docker run --help' for more information\n"
    )
    assert reason(words) == "docker: Error response from daemon: unable to apply caps: operation not permitted."
    assert reason("first\nlast\n") == "last"
    assert reason("") == ""
