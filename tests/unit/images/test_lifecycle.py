"""What the lifecycle's container is given, by a Docker that writes down what it is asked for."""

from __future__ import annotations

import json
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from modelwright.images import build
from modelwright.images.engines.lifecycle import Lifecycle
from modelwright.images.errors import ImageError
from modelwright.images.order import Order
from modelwright.images.reference import parse

from tests.unit.images.stub_registry import Stub

DIGEST = "sha256:" + "1" * 64
DOCKER = """#!/bin/sh
echo "$@" >> {said}
case $1 in
  create) echo "Status: Image is up to date"; echo {container} ;;
  inspect) printf 'CNB_USER_ID=1234\\nCNB_GROUP_ID=2345\\nPATH=/bin\\n' ;;
  cp) cat > {sent} ;;
  start) printf '===> ANALYZING\\n===> EXPORTING\\n'; exit {status} ;;
esac
"""


@pytest.fixture
def order(model: Path, registry: Stub) -> Order:
    registry.manifests["1"] = b"{}"
    tag = parse(f"{registry.host}/iris:1")
    return Order(model, tag, push=True, builder="builder:1", environment={"TOKEN": "s3cret"})


@pytest.fixture
def said(tmp_path: Path) -> Path:
    return tmp_path / "said"


def docker(programs: Path, said: Path, *, status: int = 0) -> None:
    text = DOCKER.format(said=said, sent=said.with_name("sent.tar"), container="c0ffee", status=status)
    # The PATH of these tests is empty.
    (programs / "docker").write_text(text.replace("cat >", "/bin/cat >"))
    (programs / "docker").chmod(0o755)


def built(order: Order) -> str:
    """Build, and wait for what is cleared away beside it."""
    digest = Lifecycle().build(order, [].append)
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join(60)
    return digest


def test_the_container_gets_folder_variables_and_logins_each_with_its_owner(
    order: Order, programs: Path, said: Path, no_logins: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker(programs, said)
    (tmp_path / "bundle.crt").write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bundle.crt"))
    (order.folder / ".git").mkdir()
    (order.folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (no_logins / "config.json").write_text(json.dumps({"auths": {order.tag.host: {"auth": "YTpi"}}}))

    assert built(order) == DIGEST

    with tarfile.open(said.with_name("sent.tar")) as sent:
        owners = {entry.name: (entry.uid, entry.gid) for entry in sent}
        assert owners["workspace"] == owners["workspace/model.py"] == owners["platform/env/TOKEN"] == (1234, 2345)
        assert "workspace/.git/HEAD" in owners
        logins, folder = sent.getmember("root/.docker/config.json"), sent.getmember("root/.docker")
        assert (logins.uid, logins.mode, folder.uid, folder.mode) == (0, 0o600, 0, 0o700)
        content = {name: sent.extractfile(name) for name in ("platform/env/TOKEN", "etc/ssl/certs/ca-certificates.crt")}
        assert [each.read() for each in content.values() if each] == [b"s3cret", b"certificates"]


def test_neither_logins_nor_variables_are_in_a_list_of_processes(
    order: Order, programs: Path, said: Path, no_logins: Path
) -> None:
    docker(programs, said)
    (no_logins / "config.json").write_text(json.dumps({"auths": {order.tag.host: {"auth": "YWxpY2U6cGFzcw=="}}}))

    built(order)

    assert "s3cret" not in said.read_text()
    assert "YWxpY2U6cGFzcw==" not in said.read_text()


def test_the_creator_is_told_every_tag_and_is_gone_when_it_ends(order: Order, programs: Path, said: Path) -> None:
    docker(programs, said)
    wanted = replace(order, also=(order.tag.tagged("content"),), run_image="run:2", fresh=True)

    built(wanted)

    version, volume, create, *rest = said.read_text().splitlines()
    assert version.startswith("version")
    assert volume.startswith("volume rm --force modelwright-")
    assert create.startswith("create --pull always --network host --user 0:0 --env CNB_PLATFORM_API=0.12")
    ending = f"-run-image run:2 -skip-restore -tag {order.tag.tagged('content')} {order.tag}"
    assert create.endswith(f"builder:1 /cnb/lifecycle/creator -no-color -app /workspace -layers /layers "
                           f"-platform /platform -cache-dir /cache {ending}")  # fmt: skip
    assert [line.split()[0] for line in rest] == ["inspect", "cp", "start", "rm"]


def test_the_digest_is_the_one_that_the_lifecycle_says(order: Order, programs: Path, said: Path) -> None:
    docker(programs, said)
    other = "sha256:" + "2" * 64
    script = (programs / "docker").read_text().replace("===> EXPORTING", f"*** Images ({other}):")
    (programs / "docker").write_text(script)

    assert built(order) == other


def test_a_container_that_fails_is_removed(order: Order, programs: Path, said: Path) -> None:
    docker(programs, said, status=51)

    with pytest.raises(ImageError, match="is as it was"):
        build.build(order, say=lambda _: None)

    assert said.read_text().splitlines()[-1] == "rm --force c0ffee"


def test_a_builder_that_cannot_be_had_is_named_with_the_remedy(order: Order, programs: Path, said: Path) -> None:
    docker(programs, said)
    script = (programs / "docker").read_text().replace('echo "Status: Image is up to date"', 'echo "denied"; exit 1')
    (programs / "docker").write_text(script)

    with pytest.raises(ImageError, match=r"the builder builder:1 cannot be had \(denied\): check its name"):
        build.build(order, say=lambda _: None)


def test_an_image_that_is_no_builder_says_so(order: Order, programs: Path, said: Path) -> None:
    docker(programs, said)
    script = (programs / "docker").read_text().replace("CNB_USER_ID", "ANOTHER")
    (programs / "docker").write_text(script)

    with pytest.raises(ImageError, match="so it is no builder: name one with --builder"):
        build.build(order, say=lambda _: None)

    assert "rm --force c0ffee" in said.read_text()


def test_project_toml_sets_variables_of_the_build_and_the_command_line_wins(
    order: Order, programs: Path, said: Path
) -> None:
    docker(programs, said)
    (order.folder / "project.toml").write_text(
        "[[io.buildpacks.build.env]]\nname = 'TOKEN'\nvalue = 'file'\n"
        "[[io.buildpacks.build.env]]\nname = 'MORE'\nvalue = '1'\n"
    )

    built(order)

    with tarfile.open(said.with_name("sent.tar")) as sent:
        read = {name: sent.extractfile(f"platform/env/{name}") for name in ("TOKEN", "MORE")}
        assert {name: each.read() for name, each in read.items() if each} == {"TOKEN": b"s3cret", "MORE": b"1"}
