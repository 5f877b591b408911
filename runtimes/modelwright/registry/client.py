"""A registry by the OCI distribution API: manifests, configurations, blobs and tags, read and written.

Plain calls and no library: oras 0.2 has to be told beforehand whether a registry logs in by Basic or by a token, waits
for ever, and raises one kind of error with words in it for 401, 403 and 404, each of which has a remedy of its own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from modelwright.registry.caller import Caller
from modelwright.registry.connection import DOCUMENT_LIMIT, Answer, Connection, Request
from modelwright.registry.reference import Reference

_INDEX: Final = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_IMAGE: Final = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT: Final = {"Accept": ", ".join((*_INDEX, *_IMAGE))}
_CHUNK: Final = 1024 * 1024
_UPLOADS: Final = "blobs/uploads/"
Content = dict[str, Any]


class Registry:
    """Registries as a caller sees them. What one refuses is raised as the caller's error."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._connection = Connection(caller)

    def digest(self, reference: Reference) -> str | None:
        """Return the digest of an image, None where the registry has no such tag."""
        answer = self._connection.ask(Request("HEAD", reference, f"manifests/{reference.version}", headers=_ACCEPT))
        return None if answer.status == 404 else self._checked(reference, answer).headers.get("docker-content-digest")

    def manifest(self, reference: Reference) -> tuple[str, Content]:
        """Return digest and content of a manifest or index."""
        body = self._got(reference, f"manifests/{reference.version}").body
        digest = digest_of(body)
        if reference.digest and digest != reference.digest:
            why = f"the registry sent {digest}"
            raise self._caller.failure(str(reference), why, "The registry or a proxy is broken.")
        return digest, self._document(reference, body)

    def image(self, reference: Reference, architecture: str = "") -> Content:
        """Return an image's manifest, as `for_platform` chooses it."""
        return self.for_platform(reference, self.manifest(reference)[1], architecture)

    def for_platform(self, reference: Reference, content: Content, architecture: str = "") -> Content:
        """Return what was read, or what it, an index, names for linux on `architecture`, by default the first."""
        if "manifests" not in content:
            return content
        for entry in content["manifests"]:
            platform = entry.get("platform") or {}
            if not architecture or (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
                return self.manifest(reference.at(entry["digest"]))[1]
        why = f"is not there for linux/{architecture}"
        raise self._caller.failure(str(reference), why, "Push it for this architecture.")

    def config(self, reference: Reference, manifest: Content) -> Content:
        """Return the configuration that a manifest of this repository names."""
        digest = str(manifest["config"]["digest"])
        body = self._got(reference, f"blobs/{digest}").body
        if digest_of(body) != digest:
            raise self._caller.failure(str(reference), "its config is damaged", "Push it again.")
        return self._document(reference, body)

    def blob(self, reference: Reference, digest: str) -> Iterator[bytes]:
        """Yield a blob's bytes; what they are worth is the caller's to check by the digest."""
        try:
            with closing(self._connection.open(Request("GET", reference, f"blobs/{digest}"))) as answer:
                while chunk := answer.read(_CHUNK):
                    yield chunk
        except urllib.error.HTTPError as error:
            raise self._caller.refused(reference, error.code, error.read(DOCUMENT_LIMIT)) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._caller.silent(reference, error) from None

    def tag(self, reference: Reference, tag: str) -> None:
        """Give an image a second tag in its repository; nothing is copied."""
        found = self._got(reference, f"manifests/{reference.version}")
        self.put_manifest(reference.tagged(tag), found.body, found.headers["content-type"])

    def put_manifest(self, reference: Reference, body: bytes, kind: str) -> str:
        """Write a manifest, after its blobs, so that a failure leaves the tag as it was; return its digest."""
        path = f"manifests/{reference.version}"
        answer = self._connection.ask(Request("PUT", reference, path, body, {"Content-Type": kind}))
        return self._checked(reference, answer).headers["docker-content-digest"]

    def put_blob(self, reference: Reference, body: bytes, digest: str) -> None:
        """Upload a blob unless the repository has it."""
        if self._connection.ask(Request("HEAD", reference, f"blobs/{digest}")).status == 200:
            return
        place = self._begun(reference)
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": digest})
        headers = {"Content-Type": "application/octet-stream"}
        self._checked(reference, self._connection.ask(Request("PUT", reference, place, body, headers)))

    def may_push(self, reference: Reference) -> None:
        """Raise where a push would be refused: an upload is begun and given up."""
        self._connection.ask(Request("DELETE", reference, self._begun(reference)))

    def _begun(self, reference: Reference) -> str:
        """Begin an upload and return its address."""
        begun = self._checked(reference, self._connection.ask(Request("POST", reference, _UPLOADS, b"")))
        return urllib.parse.urljoin(self._connection.url(reference, _UPLOADS), begun.headers["location"])

    def _got(self, reference: Reference, path: str) -> Answer:
        answer = self._checked(reference, self._connection.ask(Request("GET", reference, path, headers=_ACCEPT)))
        if len(answer.body) > DOCUMENT_LIMIT:
            why = f"{path} is larger than {DOCUMENT_LIMIT} bytes"
            raise self._caller.failure(str(reference), why, "Is this an image?")
        return answer

    def _checked(self, reference: Reference, answer: Answer) -> Answer:
        if answer.status >= 300:
            raise self._caller.refused(reference, answer.status, answer.body)
        return answer

    def _document(self, reference: Reference, body: bytes) -> Content:
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._caller.failure(str(reference), "the registry sent no JSON", "Is this host a registry?")
        return content


def digest_of(body: bytes) -> str:
    """Return the digest by which a registry knows these bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
