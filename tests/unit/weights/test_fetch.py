import hashlib
import json
import os
import stat
import tarfile

import pytest
from modelwright.weights import manifest, partial, verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.fetch import fetch


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    (folder / "sub" / "vocab.txt").write_bytes(b"words")
    (folder / "empty").touch()
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models"


def tree(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def written(folder):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_a_folder_arrives_with_its_layout(source, target):
    assert fetch(f"file://{source}", target, {}) == ["empty", "model.bin", "sub/vocab.txt"]
    assert (target / "sub" / "vocab.txt").read_bytes() == b"words"
    assert tree(target) == {"empty", "model.bin", "sub/vocab.txt", manifest.NAME}


def test_any_user_can_read_what_arrives(source, target):
    (source / "model.bin").chmod(0o600)
    mask = os.umask(0o077)
    try:
        fetch(f"file://{source}", target, {})
    finally:
        os.umask(mask)
    assert stat.S_IMODE((target / "model.bin").stat().st_mode) & 0o444 == 0o444
    assert stat.S_IMODE((target / "sub").stat().st_mode) == 0o755


def test_a_link_out_of_the_folder_is_not_followed(source, target):
    (source / "passwd").symlink_to("/etc/passwd")
    assert "passwd" not in fetch(f"file://{source}", target, {})


def test_a_second_run_touches_nothing(source, target):
    fetch(f"file://{source}", target, {})
    before = written(target)
    fetch(f"file://{source}", target, {})
    assert written(target) == before


def test_a_published_file_that_was_damaged_is_fetched_again(source, target):
    fetch(f"file://{source}", target, {})
    (target / "model.bin").write_bytes(b"cut")
    fetch(f"file://{source}", target, {})
    assert (target / "model.bin").read_bytes() == b"weights"


def test_a_file_that_is_gone_at_the_source_is_removed_and_others_files_stay(source, target):
    fetch(f"file://{source}", target, {})
    (target / "notes").write_text("somebody else's")
    (source / "empty").unlink()
    fetch(f"file://{source}", target, {})
    assert tree(target) == {"model.bin", "sub/vocab.txt", "notes", manifest.NAME}


def test_a_broken_manifest_only_means_another_download(source, target):
    fetch(f"file://{source}", target, {})
    (target / manifest.NAME).write_text("{")
    fetch(f"file://{source}", target, {})
    assert json.loads((target / manifest.NAME).read_text())["files"]["model.bin"] == 7


def test_what_another_uri_left_half_fetched_is_not_mixed_in(source, target):
    left = partial.Partial(target)
    left.open("another identity")
    (left.files / "other.bin").write_bytes(b"x")
    left.finish("model.bin", 0)
    fetch(f"file://{source}", target, {})
    assert (target / "model.bin").read_bytes() == b"weights"
    assert "other.bin" not in tree(target)


def archive_of(source, path):
    with tarfile.open(path, "w:gz") as packed:
        packed.add(source, arcname=".")
    return path


def test_a_single_archive_is_unpacked_and_removed(source, target, tmp_path):
    path = archive_of(source, tmp_path / "model.tar.gz")
    assert fetch(f"file://{path}", target, {}) == ["empty", "model.bin", "sub/vocab.txt"]
    assert tree(target) == {"empty", "model.bin", "sub/vocab.txt", manifest.NAME}
    before = written(target)
    fetch(f"file://{path}", target, {})
    assert written(target) == before


def test_an_archives_links_and_empty_folders_are_kept(source, target, tmp_path):
    (source / "ensemble" / "1").mkdir(parents=True)
    (source / "latest").symlink_to("sub")
    (source / "dangling").symlink_to("nothing")
    fetch(f"file://{archive_of(source, tmp_path / 'model.tgz')}", target, {})
    assert (target / "ensemble" / "1").is_dir()
    assert (target / "latest" / "vocab.txt").read_bytes() == b"words"
    assert (target / "dangling").is_symlink()


def test_an_archive_beside_another_file_stays_an_archive(source, target, tmp_path):
    archive_of(source / "sub", source / "more.tgz")
    assert "more.tgz" in fetch(f"file://{source}", target, {})


def test_a_stated_digest_is_checked(source, target):
    digest = hashlib.sha256(b"weights").hexdigest()
    assert fetch(f"file://{source}/model.bin#sha256={digest}", target, {}) == ["model.bin"]


def test_a_wrong_digest_publishes_nothing(source, target):
    with pytest.raises(WeightsError, match="has the SHA-256"):
        fetch(f"file://{source}/model.bin#sha256={'0' * 64}", target, {})
    assert not (target / "model.bin").exists()


def test_a_digest_for_many_files_is_refused(source, target):
    with pytest.raises(WeightsError, match="is for one file"):
        fetch(f"file://{source}#sha256={'0' * 64}", target, {})


def test_a_full_disk_is_told_before_anything_is_fetched(source, target, monkeypatch):
    monkeypatch.setattr(verify, "_RESERVE", 1 << 62)
    with pytest.raises(WeightsError, match="0 B left"):
        fetch(f"file://{source}", target, {})


def test_a_symbolic_link_in_the_target_is_not_written_through(source, target, tmp_path):
    target.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (target / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="symbolic link"):
        fetch(f"file://{source}", target, {})
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("pvc://claim/path", "needs no download"),
        ("ftp://host/x", "Use one of s3://, gs://, https://, http://, hf://, file://"),
        ("/mnt/models", "is not a scheme"),
        ("file://host/x", "three slashes"),
        ("file:///does/not/exist", "does not exist"),
        ("s3:///key", "is not a bucket's name"),
        ("s3://UPPER CASE/key", "is not a bucket's name"),
        ("https:///x", "names no host"),
        ("https://host/folder/", "names no file"),
        ("hf://only-one", "hf://owner/model"),
        ("hf://a/b/c", "hf://owner/model"),
    ],
)
def test_a_uri_that_cannot_be_fetched_says_how_to_write_it(uri, told, target):
    with pytest.raises(WeightsError) as caught:
        fetch(uri, target, {})
    assert told in str(caught.value)
    assert not target.exists()
