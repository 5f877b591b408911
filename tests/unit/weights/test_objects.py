import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelwright.weights.errors import WeightsError
from modelwright.weights.fetch import fetch
from modelwright.weights.objects import ObjectSource, split
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from obstore.store import MemoryStore


def source(keys, key, **contents):
    store = MemoryStore()
    for name in keys:
        obstore.put(store, name, contents.get(name, name.encode()))
    return ObjectSource(f"s3://bucket/{key}", store, key, workers=4, attempts=2)


def names(keys, key):
    return {item.key: item.name for item in source(keys, key).items()}


KEYS = ["models/a/m.bin", "models/a/sub/v.txt", "models/ab/m.bin", "models/a.bin"]


@pytest.mark.parametrize("key", ["models/a", "models/a/"])
def test_a_prefix_is_a_folder_with_or_without_its_slash(key):
    assert names(KEYS, key) == {"models/a/m.bin": "m.bin", "models/a/sub/v.txt": "sub/v.txt"}


def test_a_single_object_keeps_its_base_name():
    assert names(KEYS, "models/a/sub/v.txt") == {"models/a/sub/v.txt": "v.txt"}


def test_a_bucket_without_a_key_is_fetched_whole():
    assert names(KEYS, "") == {key: key for key in KEYS}


def test_nothing_below_the_prefix_is_an_error():
    with pytest.raises(WeightsError, match="there is no object under the prefix 'models/c'"):
        source(KEYS, "models/c").items()


def test_zero_byte_objects_are_kept_and_every_object_arrives(tmp_path):
    opened = source(KEYS, "models/a/", **{"models/a/m.bin": b""})
    partial = Partial(tmp_path)
    partial.open("x")
    items = opened.items()
    opened.download(items, partial, Progress(None))
    assert (partial.files / "m.bin").read_bytes() == b""
    assert (partial.files / "sub/v.txt").read_bytes() == b"models/a/sub/v.txt"


def test_an_object_that_is_replaced_while_it_is_fetched_is_refused(tmp_path):
    store = MemoryStore()
    obstore.put(store, "m.bin", b"old")
    opened = ObjectSource("s3://bucket/m.bin", store, "m.bin", workers=1, attempts=1)
    items = opened.items()
    obstore.put(store, "m.bin", b"new")
    partial = Partial(tmp_path)
    partial.open("x")
    with pytest.raises(WeightsError, match="changed while it was fetched"):
        opened.download(items, partial, Progress(None))


@settings(max_examples=30)
@given(st.text("ab./", max_size=12))
def test_a_key_in_a_uri_is_listed_or_refused_and_never_crashes(key):
    try:
        items = source(KEYS, key).items()
    except WeightsError:
        return
    assert all(item.key in KEYS for item in items)


def test_a_uri_is_cut_into_bucket_and_key():
    assert split("s3://my.bucket/a/b c") == ("my.bucket", "a/b c")
    assert split("gs://bucket") == ("bucket", "")


def test_a_public_google_bucket_is_fetched_without_credentials(web, tmp_path):
    listing = (
        "<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated><Contents><Key>iris/sub/m.bin</Key>"
        '<LastModified>2022-01-01T00:00:00.000Z</LastModified><ETag>"v1"</ETag><Size>7</Size></Contents>'
        "</ListBucketResult>"
    )
    web.pages["/bucket"] = lambda _: (200, {"Content-Type": "application/xml"}, listing.encode())
    web.file("/bucket/iris%2Fsub%2Fm%2Ebin", b"weights")
    assert fetch("gs://bucket/iris", tmp_path, {"STORAGE_EMULATOR_HOST": web.url}) == ["sub/m.bin"]
    assert (tmp_path / "sub/m.bin").read_bytes() == b"weights"
    assert all("authorization" not in headers for _, headers in web.requests)
