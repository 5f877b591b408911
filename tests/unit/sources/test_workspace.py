"""From a source to the build's workspace, by the command that the Jobs run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from modelwright.sources import workspace
from modelwright.sources.__main__ import BUILD_ENV, main
from modelwright.sources.builder import METADATA
from modelwright.sources.registry import registry as registries
from modelwright.weights.errors import WeightsError

from tests.e2e.sources import GitRepository, served
from tests.unit.sources.registry_server import FakeRegistry


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitRepository]:
    with served(tmp_path / "repository", "127.0.0.1") as repository:
        yield repository


def fill(source: dict[str, Any], pinned: str, tmp_path: Path) -> Path:
    target = tmp_path / "workspace"
    workspace.fill(source, pinned, {}, registries(), target)
    return target


def resolve(source: dict[str, Any], tmp_path: Path) -> str:
    return workspace.resolve(source, {}, registries(), tmp_path / "scratch")


def git_source(repository: GitRepository, revision: str = "main", **more: str) -> dict[str, Any]:
    return {"git": {"url": repository.url, "revision": revision, **more}}


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_a_branch_is_its_commit_and_its_files(git, tmp_path):
    (git.path / "iris").mkdir()
    (git.path / "iris" / "model.py").write_text("one")
    (git.path / "iris" / "run.sh").write_text("#!/bin/sh\n")
    (git.path / "iris" / "run.sh").chmod(0o755)
    (git.path / "iris" / "latest.py").symlink_to("model.py")
    (git.path / "README").write_text("all")
    first = git.commit("one")
    (git.path / "iris" / "model.py").write_text("two")
    second = git.commit("two")
    assert resolve(git_source(git), tmp_path) == second
    assert resolve({"git": {"url": git.url}}, tmp_path) == second
    assert resolve(git_source(git, first), tmp_path) == first
    found = fill(git_source(git, subPath="iris"), second, tmp_path)
    assert tree(found) == {"latest.py": "-> model.py", "model.py": "two", "run.sh": "#!/bin/sh\n"}
    assert (found / "run.sh").stat().st_mode & 0o100
    older = fill(git_source(git), first, tmp_path / "older")
    assert tree(older)["iris/model.py"] == "one"
    assert not (older / workspace.STAGING).exists()


def test_a_tag_is_the_commit_that_it_is_of(git, tmp_path):
    from dulwich import porcelain

    (git.path / "model.py").write_text("one")
    commit = git.commit("one")
    porcelain.tag_create(str(git.path), "v1", author=b"a <a@example.com>", message=b"one", annotated=True)
    porcelain.tag_create(str(git.path), "v2")
    assert resolve(git_source(git, "v1"), tmp_path) == commit
    assert resolve(git_source(git, "v2"), tmp_path) == commit


def test_what_is_not_in_the_repository_is_refused_with_the_field(git, tmp_path):
    (git.path / "model.py").write_text("one")
    commit = git.commit("one")
    with pytest.raises(
        WeightsError, match=re.escape("has no branch, tag or commit 'next'. Correct spec.source.git.rev")
    ):
        resolve(git_source(git, "next"), tmp_path)
    with pytest.raises(WeightsError, match=re.escape("Correct spec.source.git.revision")):
        fill(git_source(git), "0" * 40, tmp_path)
    with pytest.raises(WeightsError, match=re.escape("has no folder 'nowhere'. Correct spec.source.git.subPath")):
        fill(git_source(git, subPath="nowhere"), commit, tmp_path)
    with pytest.raises(WeightsError, match=re.escape("subPath '../..'")):
        fill(git_source(git, subPath="../.."), commit, tmp_path)


def test_links_that_lead_out_are_refused(git, tmp_path):
    (git.path / "iris").mkdir()
    (git.path / "shared.py").write_text("x")
    (git.path / "iris" / "shared.py").symlink_to("../shared.py")
    commit = git.commit("a link within the repository, out of the folder")
    with pytest.raises(WeightsError, match=re.escape("the link 'shared.py' leads out of it")):
        fill(git_source(git, subPath="iris"), commit, tmp_path)
    (git.path / "out").symlink_to("/etc/passwd")
    from dulwich import porcelain

    porcelain.add(str(git.path), [str(git.path / "out")])
    worse = git.commit("a link out of the repository")
    with pytest.raises(WeightsError, match=re.escape("the link 'out' leads to '/etc/passwd'")):
        fill(git_source(git), worse, tmp_path / "worse")


POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def test_a_pointer_of_lfs_is_not_taken_for_the_weights(git, tmp_path):
    (git.path / "iris").mkdir()
    (git.path / "iris" / "model.py").write_text("one")
    (git.path / "large").mkdir()
    (git.path / "large" / "weights.npz").write_text(POINTER)
    commit = git.commit("weights in Git LFS")
    said = "'large/weights.npz' is a pointer of Git LFS, whose file is not fetched. Put the file into"
    for how in ({}, {"subPath": "large"}):
        with pytest.raises(WeightsError, match=re.escape(said)):
            fill(git_source(git, **how), commit, tmp_path / str(how))
    assert tree(fill(git_source(git, subPath="iris/"), commit, tmp_path)) == {"model.py": "one"}


def test_a_submodule_is_no_empty_folder(git, tmp_path):
    (git.path / "iris").mkdir()
    (git.path / "iris" / "model.py").write_text("one")
    first = git.commit("a model")
    git.submodule("large/shared", first)
    commit = git.commit("a submodule")
    said = "'large/shared' is a submodule, which is not fetched. Put the file into the repository itself"
    for how in ({}, {"subPath": "large"}, {"subPath": "large/shared"}):
        with pytest.raises(WeightsError, match=re.escape(said)):
            fill(git_source(git, **how), commit, tmp_path / str(len(str(how))))
    assert tree(fill(git_source(git, subPath="iris"), commit, tmp_path)) == {"model.py": "one"}


def test_a_server_that_does_not_answer_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"git does not answer: .*Check the URL"):
        resolve({"git": {"url": "http://127.0.0.1:1/x.git"}}, tmp_path)


def test_a_folder_on_a_volume_is_copied_and_known_by_its_files(tmp_path):
    folder = tmp_path / "claim"
    folder.mkdir()
    (folder / "model.py").write_text("one")
    source = {"storageUri": f"file://{folder}"}
    before = resolve(source, tmp_path)
    assert tree(fill(source, before, tmp_path)) == {"model.py": "one"}
    assert resolve(source, tmp_path) == before
    (folder / "more.py").write_text("two")
    assert resolve(source, tmp_path) != before


def test_a_workspace_that_was_left_half_filled_is_filled_again(registry: FakeRegistry, tmp_path):
    registry.image("source", registry.layer(("model.py", "x")))
    staging = tmp_path / "workspace" / workspace.STAGING
    staging.mkdir(parents=True)
    (staging / "tree").mkdir()
    reference = f"{registry.host}/models/iris:source"
    assert tree(fill({"registry": {"image": reference}}, reference, tmp_path)) == {"model.py": "x"}


def test_a_source_without_files_is_refused(registry, tmp_path):
    registry.image("source", registry.layer())
    reference = f"{registry.host}/models/iris:source"
    with pytest.raises(WeightsError, match=re.escape("has no files")):
        fill({"registry": {"image": reference}}, reference, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"git": {}, "storageUri": "s3://x/y"}'])
def test_more_or_less_than_one_source_is_refused(text):
    with pytest.raises(WeightsError, match=re.escape("Give exactly one of git, registry and storageUri")):
        workspace.read(text)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "termination-log"
    path.touch()
    return path


def test_resolve_tells_source_and_builder(registry, tmp_path, told):
    metadata = {
        "images": [{"image": f"{registry.host}/models/iris:run"}],
        "lifecycle": {"apis": {"platform": {"supported": ["0.12"]}}},
    }
    config = {"Env": ["CNB_USER_ID=1000", "CNB_GROUP_ID=1000"], "Labels": {METADATA: json.dumps(metadata)}}
    registry.image("run")
    registry.image("builder", config=config)
    digest = registry.image("source")
    source = json.dumps({"registry": {"image": f"{registry.host}/models/iris:source"}})
    name = f"{registry.host}/models/iris:builder"
    assert main(["resolve", "--source", source, "--builder", name, "--message", str(told)]) == 0
    found = json.loads(told.read_text())
    assert found["source"] == f"{registry.host}/models/iris@{digest}"
    assert (found["uid"], found["platform_api"]) == (1000, "0.12")


def test_fetch_fills_workspace_platform_and_logins(registry, tmp_path, told, monkeypatch):
    registry.image("source", registry.layer(("model.py", "x")))
    monkeypatch.setenv(f"{BUILD_ENV}BP_UV_EXTRAS", "gpu")
    source = json.dumps({"registry": {"image": f"{registry.host}/models/iris:source"}})
    assert main(fetching(source, f"{registry.host}/models/iris:source", tmp_path, told)) == 0
    assert (tmp_path / "workspace" / "model.py").read_text() == "x"
    assert (tmp_path / "platform" / "env" / "BP_UV_EXTRAS").read_text() == "gpu"
    assert [path.name for path in (tmp_path / "platform" / "env").iterdir()] == ["BP_UV_EXTRAS"]
    assert json.loads((tmp_path / "docker" / "config.json").read_text()) == {"auths": {}}


def fetching(source: str, pinned: str, tmp_path: Path, told: Path) -> list[str]:
    return [
        "fetch", "--source", source, "--pinned", pinned, "--message", str(told),
        "--workspace", str(tmp_path / "workspace"), "--platform", str(tmp_path / "platform"),
        "--docker-config", str(tmp_path / "docker" / "config.json"), "--pull-secrets", str(tmp_path / "none"),
    ]  # fmt: skip


def test_a_failure_is_the_termination_message_without_secrets(tmp_path, told):
    source = json.dumps({"git": {"url": "http://me:hunter2@127.0.0.1:1/x.git"}})
    assert main(fetching(source, "0" * 40, tmp_path, told)) == 1
    assert "git does not answer" in told.read_text()
    assert "hunter2" not in told.read_text()


def test_certificates_that_are_not_there_are_named_with_the_field(tmp_path, told, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.crt"))
    assert main(fetching('{"storageUri": "file:///x"}', "x", tmp_path, told)) == 1
    assert "Create the ConfigMap of spec.build.caBundle" in told.read_text()
