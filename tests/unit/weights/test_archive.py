import io
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from modelwright.weights import archive
from modelwright.weights.errors import WeightsError

URI = "s3://bucket/model.tgz"
PLENTY = 1 << 30


@pytest.fixture(autouse=True, params=[True, False], ids=["filter", "no-filter"])
def python_with_or_without_the_filter(request, monkeypatch):
    """tarfile's filter is new in Python 3.11.4, and Debian 12, on which images stand, has 3.11.2."""
    if request.param:
        return
    extract = tarfile.TarFile.extract

    def older(self, member, path="", set_attrs=True, *, numeric_owner=False):
        return extract(self, member, path, set_attrs, numeric_owner=numeric_owner, filter="fully_trusted")

    monkeypatch.setattr(tarfile.TarFile, "extract", older)
    monkeypatch.delattr(tarfile, "data_filter")


def entry(name, content=b"", kind=tarfile.REGTYPE, link="", mode=0o644):
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname, member.mode = len(content), kind, link, mode
    return member, content


def tar(path, *entries, mode="w:gz"):
    with tarfile.open(path, mode) as packed:
        for member, content in entries:
            packed.addfile(member, io.BytesIO(content))
    return path


def symlink(name, to):
    return entry(name, kind=tarfile.SYMTYPE, link=to)


def unpack(path, folder, limit=PLENTY):
    return archive.unpack(URI, path, folder, limit=limit)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("m.tar", 1), ("m.TGZ", 1), ("m.tar.gz", 1), ("m.tar.xz", 1), ("m.zip", 1)]
    + [(name, 0) for name in ("m.pt", "m.npz", "m.keras", "m.gz", "m.mar", "tar", "m.tar.txt")],
)
def test_what_is_unpacked_is_told_by_the_name(name, expected):
    assert archive.is_archive(name) is bool(expected)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked_whatever_its_compression(tmp_path, mode):
    path = tar(tmp_path / "m.tar", entry("./"), entry("./a", b"1"), entry("sub/b", b"22"), mode=mode)
    assert sorted(unpack(path, tmp_path / "out")) == ["a", "sub/b"]
    assert (tmp_path / "out/sub/b").read_bytes() == b"22"


def test_a_zip_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sub/", b"")
        packed.writestr("sub/b", b"22")
        packed.writestr("empty", b"")
    assert sorted(unpack(tmp_path / "m.zip", tmp_path / "out")) == ["empty", "sub/b"]
    assert (tmp_path / "out/sub/b").read_bytes() == b"22"


def test_links_within_the_archive_are_kept(tmp_path):
    entries = entry("v1/m", b"1"), symlink("latest/m", "../v1/m"), entry("hard", kind=tarfile.LNKTYPE, link="v1/m")
    assert sorted(unpack(tar(tmp_path / "m.tgz", *entries), tmp_path / "out")) == ["hard", "latest/m", "v1/m"]
    assert (tmp_path / "out/latest/m").read_bytes() == b"1"
    assert (tmp_path / "out/hard").read_bytes() == b"1"


TRAVERSALS = {
    "parent": [entry("../evil", b"x")],
    "parent in the middle": [entry("a/../../evil", b"x")],
    "absolute": [entry("/tmp/evil", b"x")],
    "drive letter": [entry("C:/evil", b"x")],
    "backslashes": [entry("..\\..\\evil", b"x")],
    "symlink out": [symlink("l", "../../evil")],
    "symlink absolute": [symlink("l", "/etc/passwd")],
    "file through a symlink": [symlink("l", "."), entry("l/evil", b"x")],
    "file over a symlink": [entry("t", b"1"), symlink("l", "t"), entry("l", b"x")],
    # The shape of CVE-2025-4517: `..` after a component that is itself a link.
    "symlink through a symlink": [symlink("f", "a/b"), symlink("d", "f/../../evil")],
    "symlink below a symlink": [entry("a/b/c", b"1"), symlink("a/l", "b"), symlink("a/l/m", "../../../evil")],
    "hardlink out": [entry("h", kind=tarfile.LNKTYPE, link="../../etc/passwd")],
    "hardlink absolute": [entry("h", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "hardlink to a symlink": [entry("t", b"1"), symlink("l", "t"), entry("h", kind=tarfile.LNKTYPE, link="l")],
    "character device": [entry("d", kind=tarfile.CHRTYPE)],
    "pipe": [entry("p", kind=tarfile.FIFOTYPE)],
    "our own manifest": [entry(".modelwright.json", b"{}")],
}


@pytest.mark.parametrize("entries", TRAVERSALS.values(), ids=TRAVERSALS.keys())
def test_a_tar_that_leads_outside_is_refused(tmp_path, entries):
    deep = tmp_path / "deep" / "er"
    deep.mkdir(parents=True)
    before = {path for path in tmp_path.rglob("*") if path != deep / "out"}
    path = tar(tmp_path / "m.tgz", *entries)
    with pytest.raises(WeightsError, match=r"m\.tgz"):
        unpack(path, deep / "out")
    outside = {path for path in tmp_path.rglob("*") if not path.is_relative_to(deep / "out")}
    assert outside == before | {path}
    assert not any(path.is_symlink() and not inside(path, deep / "out") for path in deep.rglob("*"))


def inside(link: Path, root: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(root)


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "C:\\evil", "..\\evil", "a\x00b"])
def test_a_zip_that_leads_outside_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as packed:
        member = zipfile.ZipInfo("placeholder")
        member.filename = name
        packed.writestr(member, b"x")
    with pytest.raises(WeightsError, match="the member"):
        unpack(tmp_path / "m.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_zips_symlink_becomes_a_file_and_leads_nowhere(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as packed:
        member = zipfile.ZipInfo("l")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(member, "/etc/passwd")
    unpack(tmp_path / "m.zip", tmp_path / "out")
    assert not (tmp_path / "out/l").is_symlink()


def test_a_bomb_stops_at_the_limit(tmp_path):
    path = tar(tmp_path / "m.tgz", entry("a", bytes(2 << 20)))
    assert path.stat().st_size < 10_000
    with pytest.raises(WeightsError, match=r"unpacks to more than 1\.0 MiB"):
        unpack(path, tmp_path / "out", limit=1 << 20)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_zip_bomb_stops_at_the_limit(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a", bytes(2 << 20))
    with pytest.raises(WeightsError, match=r"unpacks to more than 1\.0 MiB"):
        unpack(tmp_path / "m.zip", tmp_path / "out", limit=1 << 20)


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a", bytes(1 << 20))
    content = path.read_bytes()
    true, lie = (1 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert content.count(true) == 2
    path.write_bytes(content.replace(true, lie))
    with pytest.raises(WeightsError):
        unpack(path, tmp_path / "out", limit=1000)
    written = sum(file.stat().st_size for file in (tmp_path / "out").rglob("*"))
    assert written <= 1000


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 10)
    path = tar(tmp_path / "m.tgz", *(entry(f"f{number}") for number in range(11)))
    with pytest.raises(WeightsError, match="10 members"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("name", ["m.tgz", "m.tar", "m.zip", "m.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b" + zlib.compress(b"x" * 99)[:20]])
def test_what_is_no_archive_is_told(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        unpack(tmp_path / name, tmp_path / "out")


def test_a_truncated_archive_is_told(tmp_path):
    path = tar(tmp_path / "m.tgz", entry("a", os.urandom(100_000)))
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")


def test_an_encrypted_zip_is_told(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a", b"content")
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is encrypted"):
        unpack(path, tmp_path / "out")
