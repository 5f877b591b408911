"""What a registry already has: digests and tags by the distribution API, so that nothing is built twice."""

import json
import urllib.error
import urllib.request
from typing import Any

from .command import ImageError

ACCEPT = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)
TIMEOUT = 10.0
"""Seconds. A registry that takes longer to say what it has is not one to push gigabytes to."""


def split(reference: str) -> tuple[str, str, str]:
    """Split `host/repository:tag` into its three parts; the tag is `latest` where none is given."""
    host, _, rest = reference.partition("/")
    repository, colon, tag = rest.rpartition(":")
    return (host, repository, tag) if colon else (host, rest, "latest")


def _url(host: str, path: str) -> str:
    # The same rule as docker's and pack's own: a registry on this machine speaks plain HTTP.
    scheme = "http" if host.split(":", maxsplit=1)[0] in ("localhost", "127.0.0.1") else "https"
    return f"{scheme}://{host}/v2/{path}"


def _request(
    url: str, method: str = "GET", body: bytes | None = None, kind: str | None = None
) -> tuple[bytes, str, str]:
    headers = {"Accept": ACCEPT} | ({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        return answer.read(), answer.headers.get("Docker-Content-Digest", ""), answer.headers.get("Content-Type", "")


def digest(reference: str) -> str | None:
    """Return the digest of an image, or None where the registry has no such tag. Raises ImageError where it is down."""
    host, repository, tag = split(reference)
    try:
        return _request(_url(host, f"{repository}/manifests/{tag}"), "HEAD")[1] or None
    except urllib.error.HTTPError:
        return None
    except OSError as error:
        raise ImageError(f"the registry {host} does not answer ({error}); bring it up with `make cluster`") from None


def tag(existing: str, new: str) -> None:
    """Give an image a second tag in the same repository; nothing is copied."""
    host, repository, old_tag = split(existing)
    body, _, kind = _request(_url(host, f"{repository}/manifests/{old_tag}"))
    _request(_url(host, f"{repository}/manifests/{split(new)[2]}"), "PUT", body, kind)


def size(reference: str) -> int:
    """Return the bytes that a node without any layer of it would pull."""
    host, repository, name = split(reference)
    manifest: dict[str, Any] = json.loads(_request(_url(host, f"{repository}/manifests/{name}"))[0])
    return sum(layer["size"] for layer in manifest["layers"])
