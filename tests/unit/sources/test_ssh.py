"""Sources that git reaches by ssh, on a real sshd: who is let in, and who is not believed."""

from __future__ import annotations

import json
import logging
import pwd
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from modelwright.sources import workspace
from modelwright.sources.__main__ import main
from modelwright.sources.address import Address, address
from modelwright.sources.registry import registry as registries
from modelwright.weights.errors import WeightsError

from tests.e2e.sources import GitRepository
from tests.e2e.sshd import Sshd, keygen, running


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd") / "server") as server:
        yield server


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    return GitRepository.made(tmp_path / "models")


class Login:
    """The Secret as a pod has it, and a look at a repository with it."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        self.folder = folder
        folder.mkdir()
        self.put("ssh-privatekey", sshd.key)
        self.put("known_hosts", sshd.known_hosts)

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def env(self) -> dict[str, str]:
        return {"GIT_SSH_FOLDER": str(self.folder)}

    def resolve(self, url: str, revision: str = "main", secret: str = "deploy") -> str:
        source = {"git": {"url": url, "revision": revision, "secretName": secret}}
        return workspace.resolve(source, self.env, registries(), self.folder)

    def refused(self, url: str, **how: str) -> str:
        with pytest.raises(WeightsError) as caught:
            self.resolve(url, **how)
        return str(caught.value)


@pytest.fixture
def login(tmp_path: Path, sshd: Sshd) -> Login:
    return Login(tmp_path / "secret", sshd)


def committed(git: GitRepository) -> tuple[str, str]:
    (git.path / "iris").mkdir()
    (git.path / "iris" / "model.py").write_text("one")
    first = git.commit("one")
    (git.path / "iris" / "model.py").write_text("two")
    return first, git.commit("two")


def filled(login: Login, source: dict[str, Any], commit: str, target: Path) -> str:
    workspace.fill(source, commit, login.env, registries(), target)
    return (target / "model.py").read_text()


def test_a_branch_is_its_commit_and_its_files(git, sshd, login, tmp_path):
    first, second = committed(git)
    assert login.resolve(sshd.url(git.path)) == second
    source = {"git": {"url": sshd.url(git.path), "subPath": "iris", "secretName": "deploy"}}
    assert filled(login, source, second, tmp_path / "newest") == "two"
    assert filled(login, source, first, tmp_path / "older") == "one"


def test_a_server_that_speaks_the_older_protocol_alone_does(git, tmp_path):
    first, second = committed(git)
    with running(tmp_path / "server", more="") as old:
        login = Login(tmp_path / "secret", old)
        assert login.resolve(old.url(git.path)) == second
        source = {"git": {"url": old.url(git.path), "subPath": "iris", "secretName": "deploy"}}
        assert filled(login, source, first, tmp_path / "older") == "one"


def test_a_user_whom_the_image_does_not_know_may_fetch(git, sshd, login, monkeypatch):
    _, second = committed(git)
    url = sshd.url(git.path)

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert login.resolve(url) == second


def test_no_host_is_trusted_on_first_use(git, sshd, login):
    committed(git)
    (login.folder / "known_hosts").unlink()
    said = login.refused(sshd.url(git.path))
    assert "the Secret 'deploy' has no key known_hosts" in said
    assert f"`ssh-keyscan -p {sshd.port} 127.0.0.1`" in said
    login.put("known_hosts", sshd.known_hosts.replace("127.0.0.1", "git.example.com"))
    assert "known_hosts of the Secret 'deploy' has no key of 127.0.0.1. Put" in login.refused(sshd.url(git.path))


def test_entries_without_a_port_are_of_sshs_own(sshd, login):
    login.put("known_hosts", sshd.known_hosts.replace(f"[127.0.0.1]:{sshd.port}", "127.0.0.1"))
    # Whoever listens there, if anybody does, has another key.
    assert re.search("does not answer by ssh|shows another key", login.refused("ssh://git@127.0.0.1/models.git"))


def test_a_host_is_known_by_any_of_its_keys(git, sshd, login, tmp_path):
    _, second = committed(git)
    keygen(tmp_path / "other", kind="ecdsa")
    other = f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}"
    login.put("known_hosts", f"# both of it\n{other}{sshd.known_hosts}")
    assert login.resolve(sshd.url(git.path)) == second


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_host_with_another_key_is_not_shown_ours(git, sshd, login, tmp_path, kind):
    keygen(tmp_path / "other", kind=kind)
    login.put("known_hosts", f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    said = login.refused(sshd.url(git.path))
    assert "127.0.0.1 shows another key than known_hosts of the Secret 'deploy' has. Somebody may stand between" in said


def test_a_key_that_the_host_does_not_take_is_named(git, sshd, login, tmp_path):
    keygen(tmp_path / "other")
    login.put("ssh-privatekey", (tmp_path / "other").read_text())
    assert "127.0.0.1 does not take ssh-privatekey of the Secret 'deploy' for" in login.refused(sshd.url(git.path))


def test_a_key_with_a_passphrase_or_none_is_named_and_not_shown(git, sshd, login, tmp_path):
    keygen(tmp_path / "locked", passphrase="hunter2")
    login.put("ssh-privatekey", (tmp_path / "locked").read_text())
    assert "is locked by a passphrase. Make one without: ssh-keygen" in login.refused(sshd.url(git.path))
    login.put("ssh-privatekey", "hunter2")
    said = login.refused(sshd.url(git.path))
    assert "ssh-privatekey of the Secret 'deploy' is not a private key. Make it: kubectl create secret generic" in said
    assert "hunter2" not in said


def test_a_secret_that_is_not_there_or_not_named_is_asked_for(git, sshd, login):
    (login.folder / "ssh-privatekey").unlink()
    url = sshd.url(git.path)
    said = login.refused(url)
    assert "the Secret 'deploy' has no key ssh-privatekey, or is not there. Make it: kubectl create secret" in said
    assert "--type=kubernetes.io/ssh-auth" in said
    assert "Name a Secret in spec.source.git.secretName" in login.refused(url, secret="")


def test_a_repository_that_is_not_there_is_said_in_the_servers_words(git, sshd, login):
    assert "does not appear to be a git repository" in login.refused(sshd.url(git.path.parent / "nothing"))
    assert "has no branch, tag or commit 'next'" in login.refused(sshd.url(git.path), revision="next")


def test_a_host_that_does_not_answer_is_named(sshd, login):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    login.put("known_hosts", sshd.known_hosts.replace(str(sshd.port), str(port)))
    assert "127.0.0.1 does not answer by ssh:" in login.refused(f"ssh://git@127.0.0.1:{port}/models.git")


def test_the_key_is_in_no_log_and_no_message(git, sshd, login, tmp_path, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    committed(git)
    monkeypatch.setenv("GIT_SSH_FOLDER", str(login.folder))
    told = tmp_path / "termination-log"
    told.touch()
    source = json.dumps({"git": {"url": sshd.url(git.path), "secretName": "deploy"}})
    arguments = ["fetch", "--source", source, "--pinned", "0" * 40, "--message", str(told)]
    places = ["--workspace", str(tmp_path / "w"), "--platform", str(tmp_path / "p"), "--docker-config"]
    assert main([*arguments, *places, str(tmp_path / "d" / "config.json")]) == 1
    shown = f"{told.read_text()} {caplog.text} {capfd.readouterr()}"
    assert "has no commit" in shown
    secret = re.sub(r"-----[^-]+-----", "", sshd.key).split()
    assert not [line for line in secret if line in shown]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("git@git.example.com:team/iris.git", Address("git", "git.example.com", 22, "team/iris.git")),
        ("ssh://git@git.example.com/team/iris.git", Address("git", "git.example.com", 22, "/team/iris.git")),
        ("ssh://git.example.com:2222/team/iris.git", Address("git", "git.example.com", 2222, "/team/iris.git")),
        ("ssh://me@[::1]:2222/~me/a%20b.git", Address("me", "::1", 2222, "/~me/a b.git")),
        ("https://git@git.example.com:8443/team/iris.git", None),
        ("http://git.example.com/iris.git", None),
        ("git.example.com", None),
    ],
)
def test_an_address_is_read_as_git_reads_it(url, found):
    assert address(url) == found
