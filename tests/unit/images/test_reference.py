"""Images' names, read by docker's rules."""

from __future__ import annotations

import pytest
from modelwright.images.errors import ImageError
from modelwright.images.reference import parse, pushable

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest"),
    [
        ("iris", "", "iris", "latest", ""),
        ("team/iris:1", "", "team/iris", "1", ""),
        ("localhost/iris", "localhost", "iris", "latest", ""),
        ("localhost:5000/a/b:dev", "localhost:5000", "a/b", "dev", ""),
        ("registry.example.com/a__b/c-d:V1.2_x", "registry.example.com", "a__b/c-d", "V1.2_x", ""),
        (f"registry.example.com/a@{DIGEST}", "registry.example.com", "a", "", DIGEST),
        (f"host:1/a:t@{DIGEST}", "host:1", "a", "", DIGEST),
    ],
)
def test_a_name_has_its_parts(text: str, host: str, repository: str, tag: str, digest: str) -> None:
    found = parse(text)
    assert (found.host, found.repository, found.tag, found.digest) == (host, repository, tag, digest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Iris", "'Iris' needs lower-case letters"),
        ("a//b", "needs lower-case letters"),
        ("", "needs lower-case letters"),
        ("a:" + "t" * 129, "the tag"),
        ("a@sha256:12", "behind '@' it needs sha256: and 64"),
        ("--privileged", "needs lower-case letters"),
        ("ho st:1/a", "'ho st:1' is no host"),
    ],
)
def test_what_is_no_name_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(ImageError, match="is no image's name") as caught:
        parse(text)
    assert said in str(caught.value)


def test_pushing_needs_a_registry_and_a_tag() -> None:
    with pytest.raises(ImageError, match=r"'team/iris' names no registry.*registry.example.com/team/iris:latest"):
        pushable("team/iris")
    with pytest.raises(ImageError, match="is a digest, which nothing can be pushed to: name a tag, host:1/a:TAG"):
        pushable(f"host:1/a@{DIGEST}")


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("localhost:5000", True), ("127.0.0.1:5000", True), ("10.0.0.7", True), ("[::1]:5000", True),
        ("registry.local", True), ("registry.example.com", False), ("8.8.8.8:5000", False),
    ],
)  # fmt: skip
def test_a_registry_of_this_machine_or_network_is_spoken_to_as_the_lifecycle_does(host: str, plain: bool) -> None:
    assert parse(f"{host}/a").plain_http() is plain
