"""Logins: a kubeconfig's or a service account's."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright_operator.cluster import login


def kubeconfig(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    path = folder / "kubeconfig"
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "team"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_token_file_beside_the_kubeconfig_is_read_anew_each_time(tmp_path):
    found = login.from_kubeconfig(kubeconfig(tmp_path, {"tokenFile": "token"}))
    (tmp_path / "token").write_text("first\n")
    assert found.bearer() == "first"
    (tmp_path / "token").write_text("rotated\n")
    assert found.bearer() == "rotated"
    assert (found.server, found.namespace) == ("https://api:6443", "team")


def test_embedded_certificates_are_decoded(tmp_path):
    user = {
        "client-certificate-data": base64.b64encode(b"CERT").decode(),
        "client-key-data": base64.b64encode(b"KEY").decode(),
    }
    found = login.from_kubeconfig(kubeconfig(tmp_path, user))
    assert (found.certificate_data, found.key_data, found.bearer()) == ("CERT", "KEY", None)


def test_credentials_are_not_in_what_a_login_prints(tmp_path):
    user = {"token": "hunter2", "client-key-data": base64.b64encode(b"KEY").decode()}
    text = repr(login.from_kubeconfig(kubeconfig(tmp_path, user)))
    assert "hunter2" not in text
    assert "KEY" not in text


def test_an_exec_plugin_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(login.LoginError, match="exec plugins are not supported; use a token"):
        login.from_kubeconfig(kubeconfig(tmp_path, {"exec": {"command": "aws"}}))


def test_an_unusable_kubeconfig_is_named(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("{}")
    with pytest.raises(login.LoginError, match=str(path)):
        login.from_kubeconfig(path)


def test_a_pod_without_a_mounted_token_is_told_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    with pytest.raises(login.LoginError, match="automountServiceAccountToken"):
        login.from_service_account(tmp_path)


def test_a_pods_login_is_its_service_accounts(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text("t")
    (tmp_path / "namespace").write_text("modelwright")
    found = login.from_service_account(tmp_path)
    assert (found.server, found.bearer(), found.namespace) == ("https://[fd00::1]:443", "t", "modelwright")
