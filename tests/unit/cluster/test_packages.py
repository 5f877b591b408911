from __future__ import annotations

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import packages


@pytest.fixture
def probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one of two packages, and an apt-get that must not be called."""
    (tmp_path / "here").touch()
    monkeypatch.setattr(packages, "PROBES", {"here": (str(tmp_path / "here"),), "gone": (str(tmp_path / "gone"),)})
    return tmp_path


def test_a_package_is_there_when_what_it_brings_is_there(probes: Path) -> None:
    assert packages.missing(("here", "gone")) == ["gone"]


def test_nothing_missing_asks_for_nothing(probes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    packages.require("here")


def test_without_rights_the_command_is_named(probes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(packages.PackagesMissingError, match=r"sudo apt-get install -y --no-install-recommends gone$"):
        packages.require("here", "gone")


def test_on_another_system_the_packages_are_named(probes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(packages.PackagesMissingError, match="equivalents of these Debian packages: gone"):
        packages.require("gone")


def test_apt_installs_with_services_off_and_the_policy_is_taken_away_again(
    probes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = probes / "policy-rc.d"
    apt = probes / "apt-get"
    # This apt installs what is asked for only where a policy keeps services from starting.
    apt.write_text(
        f'#!/bin/sh\n{policy}; [ $? = 101 ] || exit 1\necho "$@" >> {probes}/arguments\ntouch {probes}/gone\n'
    )
    apt.chmod(0o755)
    as_root(probes, monkeypatch)
    monkeypatch.setattr(packages, "_POLICY", policy)
    packages.require("here", "gone")
    assert (probes / "arguments").read_text().endswith("install -y --no-install-recommends gone\n")
    assert not policy.exists()


def as_root(probes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{probes}:/usr/bin:/bin")
    monkeypatch.setenv("MODELWRIGHT_CACHE", str(probes / "cache"))
    monkeypatch.setattr("os.geteuid", lambda: 0)


def test_what_another_process_installs_meanwhile_is_not_installed_again(
    probes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(probes, monkeypatch)
    (probes / "cache").mkdir()
    apt = probes / "apt-get"
    apt.write_text("#!/bin/sh\nexit 1\n")
    apt.chmod(0o755)
    looked, missing = threading.Event(), packages.missing

    def look(names: tuple[str, ...]) -> list[str]:
        found = missing(names)
        looked.set()
        return found

    monkeypatch.setattr(packages, "missing", look)
    with ThreadPoolExecutor(1) as pool:
        with (probes / "cache" / "packages.lock").open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            waiting = pool.submit(packages.require, "gone")
            assert looked.wait(60)
            (probes / "gone").touch()
        waiting.result(60)
