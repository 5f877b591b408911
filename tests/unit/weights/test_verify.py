import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from modelwright.weights import verify
from modelwright.weights.errors import WeightsError
from modelwright.weights.source import Item

ROOT = Path("/srv/models")

segments = st.one_of(
    st.sampled_from(["..", ".", "", "a", "..\\..", "C:", "C:\\x", "\x00", "a\x00", "…", "/", "\\", "~", "%2e%2e"]),
    st.text(max_size=8),
)


@given(st.lists(segments, max_size=6).map("/".join))
@example("../etc/passwd")
@example("a/../../b")
@example("..\\..\\b")
@example("C:/windows")
@example("//host/share")
def test_a_path_that_is_accepted_stays_below_the_root(key):
    try:
        path = verify.contained(ROOT, key)
    except ValueError:
        return
    assert Path(os.path.normpath(path)).is_relative_to(ROOT)
    assert path != ROOT
    assert "\x00" not in str(path)


@given(st.lists(st.text("abc0-_. é", min_size=1, max_size=20).filter(lambda s: set(s) != {"."}), min_size=1))
def test_ordinary_names_are_accepted_as_they_are(parts):
    assert verify.relative("/".join(parts)) == "/".join(parts)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "..",
        "../x",
        "a/../x",
        "/etc/passwd",
        "\\x",
        "C:\\x",
        "c:x",
        "a\x00b",
        "a\nb",
        "a\\..\\b",
        "x" * 256,
        ".modelwright.json",
        ".modelwright-partial/files",
    ],
)
def test_dangerous_and_reserved_names_are_refused(name):
    with pytest.raises(ValueError, match=r"^(has|is)"):
        verify.relative(name)


def test_a_path_through_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "out").symlink_to("/tmp")
    with pytest.raises(ValueError, match="symbolic link"):
        verify.contained(tmp_path, "out/x")


def items(*names):
    return [Item(f"key/{name}", name, 1, "e") for name in names]


@pytest.mark.parametrize("pair", [("a", "a"), ("a//b", "a/b"), ("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_two_objects_for_one_path_are_refused_with_both_names(pair):
    with pytest.raises(WeightsError) as caught:
        verify.names("s3://bucket/key", items(*pair))
    assert all(f"key/{name}" in str(caught.value) for name in pair)


def test_a_key_that_escapes_is_named_with_the_remedy():
    with pytest.raises(WeightsError, match=r"s3://b/k: the object 'key/\.\./x' has a \. or \.\. segment\. Rename"):
        verify.names("s3://b/k", items("../x"))


def test_a_volume_without_room_is_refused_before_anything_is_fetched(tmp_path):
    with pytest.raises(WeightsError, match=r"needs .* TiB and the volume at .* left"):
        verify.space("s3://b/k", 1 << 60, tmp_path)


def test_a_file_of_another_size_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"12")
    with pytest.raises(WeightsError, match="should have 1 bytes and 2 arrived"):
        verify.sizes("s3://b/k", items("a"), tmp_path)


def test_a_file_with_another_digest_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"12")
    with pytest.raises(WeightsError, match="has the SHA-256 6b51d431"):
        verify.digests("s3://b/k", [Item("a", "a", 2, "e", sha256="0" * 64)], tmp_path)
