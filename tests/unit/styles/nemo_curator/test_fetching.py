"""Weights brought to where a model looks for them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from modelwright.styles.nemo_curator import fetching, place
from modelwright.styles.nemo_curator.fetching import FetchFailed, Weights, ensure
from modelwright.styles.nemo_curator.library.utils import hf_download_utils


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights' root, with nothing in it."""
    monkeypatch.setenv("MODELWRIGHT_WEIGHTS_DIR", str(tmp_path / "root"))
    monkeypatch.delenv("MODELWRIGHT_WEIGHTS_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(fetching.__file__).parents[3]))
    return tmp_path / "root"


def a_folder(path: Path, *names: str) -> Path:
    path.mkdir(parents=True)
    for name in names or ("model.npz",):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"{path.name} {name}")
    return path


def test_the_root_is_the_first_of_these_that_is_given(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    curator = {**home, "COSMOS_CURATE_LOCAL_WORKSPACE_PREFIX": "/data"}
    nowhere = tmp_path / "config" / "models"
    assert place.root({**curator, "MODELWRIGHT_WEIGHTS_DIR": "/w"}) == Path("/w")
    assert place.root(curator) == Path("/data/cosmos_curate_local_workspace/models")
    assert place.root(home, container=nowhere) == tmp_path / ".cache" / "modelwright" / "weights"
    assert place.root({**home, "XDG_CACHE_HOME": "/"}, container=nowhere) != place.root(home, container=nowhere)
    nowhere.mkdir(parents=True)
    assert place.root(home, container=nowhere) == nowhere


def test_a_home_that_cannot_be_written_leaves_the_temporary_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = place.root({"HOME": "/nonexistent"}, container=tmp_path / "none")
    assert found == place.last_resort()


def test_another_users_folder_among_the_temporary_ones_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.getuid()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    theirs = place.last_resort()
    assert theirs.parent == tmp_path
    theirs.mkdir()
    monkeypatch.setenv("MODELWRIGHT_WEIGHTS_DIR", str(theirs))
    with pytest.raises(FetchFailed, match=r"is another user's: set MODELWRIGHT_WEIGHTS_DIR"):
        ensure(Weights("acme/m"), alone=True, mount=tmp_path / "none")


def test_weights_put_there_by_somebody_are_left_alone(root: Path, tmp_path: Path) -> None:
    a_folder(root / "acme" / "m", "a.bin")
    ensure(Weights("acme/m"), alone=True, mount=tmp_path / "none")
    ensure(Weights("acme/m", ("*.bin",)), alone=True, mount=tmp_path / "none")
    with pytest.raises(FetchFailed, match=r"no Hugging Face owner/model"):
        ensure(Weights("m"), alone=True, mount=tmp_path / "none")


def test_the_mount_has_them_by_name_or_is_them(root: Path, tmp_path: Path) -> None:
    mount = a_folder(tmp_path / "mount", "config.json", "acme/two/model.npz")
    ensure(Weights("acme/two"), alone=False, mount=mount)
    ensure(Weights("acme/one"), alone=True, mount=mount)
    assert (place.folder("acme/two") / "model.npz").read_text() == "mount acme/two/model.npz"
    assert (root / "acme" / "one").resolve() == mount.resolve()
    ensure(Weights("acme/one"), alone=True, mount=mount)


def test_a_root_that_cannot_be_written_has_what_it_has(root: Path, tmp_path: Path) -> None:
    a_folder(root / "m")
    # Opening the lock fails, as it does on a read-only mount.
    (root / ".m.lock").mkdir()
    ensure(Weights("m"), alone=True, mount=tmp_path / "none")


def test_they_are_fetched_once_whole_and_again_when_the_source_is_another(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = a_folder(tmp_path / "v1" / "acme" / "m", "a.bin", "b.bin", "sub/c.txt").parents[1]
    second = a_folder(tmp_path / "v2" / "acme" / "m", "a.bin").parents[1]
    none = tmp_path / "none"
    chosen = Weights("acme/m", ("a.bin", "sub/*"))
    ensure(chosen, alone=True, mount=none, environ={fetching.SOURCE: f"file://{first}"})
    there = {path.name for path in (root / "acme" / "m").rglob("*") if path.is_file()}
    assert there == {"a.bin", "c.txt", ".modelwright.json"}
    assert "fetched" in capfd.readouterr().err
    (tmp_path / "v1").rename(tmp_path / "gone")
    ensure(chosen, alone=True, mount=none, environ={fetching.SOURCE: f"file://{first}/"})
    assert capfd.readouterr().err == "", "what is whole needs no source"
    ensure(Weights("acme/m"), alone=True, mount=none, environ={fetching.SOURCE: f"file://{second}"})
    assert {path.name for path in (root / "acme" / "m").rglob("*") if path.is_file()} == {"a.bin", ".modelwright.json"}


def test_a_file_that_was_lost_is_fetched_again(root: Path, tmp_path: Path) -> None:
    source = a_folder(tmp_path / "v1" / "acme" / "m", "a.bin").parents[1]
    for _ in range(2):
        ensure(Weights("acme/m"), alone=True, mount=tmp_path / "none", environ={fetching.SOURCE: f"file://{source}"})
        (root / "acme" / "m" / "a.bin").unlink()


def test_an_archive_among_weights_stays_one(root: Path, tmp_path: Path) -> None:
    source = a_folder(tmp_path / "v1" / "m", "tokens.zip").parent
    ensure(Weights("m"), alone=True, mount=tmp_path / "none", environ={fetching.SOURCE: f"file://{source}"})
    assert (root / "m" / "tokens.zip").is_file()


@pytest.mark.parametrize(
    ("weights", "source", "said"),
    [
        (Weights("m"), "", "no Hugging Face owner/model.*MODELWRIGHT_WEIGHTS_URI"),
        (Weights("../m"), "", "has a . or .. segment|has not any file"),
        (Weights("a/../../m"), "", "segment"),
        (Weights("/absent/m"), "", "has not any file"),
        (Weights("acme/m"), "file:///absent", "/absent/acme/m does not exist"),
        (Weights("acme/m"), "ftp://host", "'ftp' is not a scheme"),
        (Weights("acme/m"), "s3://bucket/prefix", "no credentials|Secret"),
    ],
)
def test_weights_that_are_nowhere_are_told_with_the_remedy(
    weights: Weights, source: str, said: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(FetchFailed, match=said):
        ensure(weights, alone=True, mount=tmp_path / "none", environ={fetching.SOURCE: source})


def test_a_file_that_the_source_lacks_is_named(root: Path, tmp_path: Path) -> None:
    source = a_folder(tmp_path / "v1" / "m", "a.bin").parent
    with pytest.raises(FetchFailed, match=r"there is no file b\.bin among the 1 there"):
        ensure(Weights("m", ("b.bin",)), alone=True, mount=source / "x", environ={fetching.SOURCE: f"file://{source}"})


def test_a_root_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MODELWRIGHT_WEIGHTS_DIR", str(tmp_path / "file" / "root"))
    with pytest.raises(FetchFailed, match=r"cannot hold weights.*set MODELWRIGHT_WEIGHTS_DIR"):
        ensure(Weights("acme/m"), alone=True, mount=tmp_path / "none")


def test_a_hub_s_address_has_the_revision(root: Path) -> None:
    assert fetching._uri(Weights("acme/m", revision="abc"), {}) == "hf://acme/m:abc"
    assert fetching._uri(Weights("acme/m"), {fetching.SOURCE: "hf://"}) == "hf://acme/m"
    assert fetching._uri(Weights("acme/m"), {fetching.SOURCE: "s3://b/w/"}) == "s3://b/w/acme/m/"


def test_curators_own_function_fetches_by_the_same_program(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(hf_download_utils, "download", lambda *how, **more: asked.append((*how, more)))
    hf_download_utils.download_model_from_hf("a/b", "m", ignore_patterns=["*.bin"])
    hf_download_utils.download_model_from_hf("a/b", Path("m"), filename="x", revision="v1")
    assert asked == [
        ("hf://a/b", Path("m"), {"only": (), "without": ["*.bin"]}),
        ("hf://a/b:v1", Path("m"), {"only": ["x"], "without": ()}),
    ]
    with pytest.raises(ValueError, match="filename and ignore_patterns"):
        hf_download_utils.download_model_from_hf("a/b", "m", ["*"], "x")
