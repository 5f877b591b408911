"""Certificates: kept while they are good, issued again when they are not."""

from __future__ import annotations

import base64
import datetime
import json
import stat
from pathlib import Path

import pytest
from cryptography import x509

from cluster.native.pki import RENEW_BEFORE, VALID_FOR, Authority, Identity, service_account_keys

SERVER = Identity(user="kube-apiserver", dns=("localhost",), addresses=("127.0.0.1", "10.244.0.1"))
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki", now=NOW)


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_certificate_names_user_groups_and_addresses_and_is_signed_by_the_authority(authority: Authority) -> None:
    identity = Identity(user="admin", groups=("system:masters",), dns=("a.example",), addresses=("10.0.0.1",))
    crt, _ = authority.issue("admin", identity)
    found = read(crt)
    found.verify_directly_issued_by(authority.certificate)
    assert found.subject.rfc4514_string() == "CN=admin,O=system:masters"
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]


def test_a_good_certificate_is_kept_by_the_next_start(authority: Authority) -> None:
    crt, key = authority.issue("apiserver", SERVER)
    before = crt.read_bytes(), key.read_bytes()
    Authority(authority.folder, now=NOW).issue("apiserver", SERVER)
    assert (crt.read_bytes(), key.read_bytes()) == before


def test_a_new_address_renews_the_certificate(authority: Authority) -> None:
    crt, _ = authority.issue("apiserver", SERVER)
    before = read(crt).serial_number
    authority.issue(
        "apiserver", Identity(user="kube-apiserver", dns=("localhost",), addresses=("127.0.0.1", "10.245.0.1"))
    )
    assert read(crt).serial_number != before


def test_an_expiring_certificate_is_renewed_with_its_authority(authority: Authority) -> None:
    crt, _ = authority.issue("apiserver", SERVER)
    before = read(crt).serial_number
    later = Authority(authority.folder, now=NOW + VALID_FOR - RENEW_BEFORE + datetime.timedelta(seconds=1))
    later.issue("apiserver", SERVER)
    assert read(later.path).serial_number != authority.certificate.serial_number
    assert read(crt).serial_number != before
    read(crt).verify_directly_issued_by(later.certificate)


@pytest.mark.parametrize("damage", ["key", "crt", "garbage"])
def test_a_missing_or_damaged_file_is_made_again(authority: Authority, damage: str) -> None:
    crt, key = authority.issue("apiserver", SERVER)
    if damage == "garbage":
        crt.write_text("garbage")
    else:
        {"key": key, "crt": crt}[damage].unlink()
    authority.issue("apiserver", SERVER)
    read(crt).verify_directly_issued_by(authority.certificate)
    assert key.is_file()


def test_only_the_owner_may_read_a_key(authority: Authority, tmp_path: Path) -> None:
    _, key = authority.issue("apiserver", SERVER)
    _, signing = service_account_keys(authority.folder)
    kubeconfig = authority.kubeconfig(tmp_path / "kubeconfig", "admin", Identity(user="admin"), "https://10.0.0.1:1")
    for path in (key, signing, authority.key_path, kubeconfig):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kubeconfig_holds_all_that_a_client_needs_and_stays_the_same(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    authority.kubeconfig(path, "admin", Identity(user="admin"), "https://10.0.0.1:6443")
    content = json.loads(path.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://10.0.0.1:6443"
    embedded = base64.b64decode(content["clusters"][0]["cluster"]["certificate-authority-data"])
    assert embedded == authority.path.read_bytes()
    before = path.stat().st_mtime_ns
    authority.kubeconfig(path, "admin", Identity(user="admin"), "https://10.0.0.1:6443")
    assert path.stat().st_mtime_ns == before
