"""A registry by the OCI distribution API: digests, sizes, tags, and the one small upload that `deploy` makes.

Plain calls and no library: oras 0.2 has to be told beforehand whether a registry logs in by Basic or by a token, waits
for ever, and raises one kind of error with words in it for 401, 403 and 404, each of which has a remedy of its own.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modelwright.images import credentials
from modelwright.images.errors import ImageError
from modelwright.images.reference import Reference

_INDEX: Final = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_IMAGE: Final = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_SECONDS: Final = 30.0
_FOUND: Final = (200, 201, 202, 204)
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body, and headers by their names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Registry:
    """One registry, as far as one repository of it goes; logs in when it is asked to."""

    reference: Reference
    pushing: bool = False
    _authorization: str = field(default="", repr=False)

    def digest(self, version: str = "") -> str | None:
        """Give the digest of a tag, by default the reference's; None where the registry has no such tag."""
        answer = self._ask("HEAD", f"manifests/{version or self.reference.version}", accept=(*_INDEX, *_IMAGE))
        return None if answer.status == 404 else self._checked(answer).headers.get("docker-content-digest")

    def manifest(self, version: str = "") -> Content:
        """Give an image's manifest; of an index, that of its first image."""
        path = f"manifests/{version or self.reference.version}"
        found = _json(self._checked(self._ask("GET", path, accept=(*_INDEX, *_IMAGE))).body)
        if "manifests" in found:
            return self.manifest(found["manifests"][0]["digest"])
        return found

    def config(self, manifest: Content) -> Content:
        """Give the configuration that a manifest names."""
        return _json(self._checked(self._ask("GET", f"blobs/{manifest['config']['digest']}")).body)

    def tag(self, tag: str) -> None:
        """Give what the reference names a second tag in its repository; nothing is copied."""
        answer = self._checked(self._ask("GET", f"manifests/{self.reference.version}", accept=(*_INDEX, *_IMAGE)))
        self.put_manifest(tag, answer.body, answer.headers["content-type"])

    def put_manifest(self, tag: str, body: bytes, kind: str) -> str:
        """Write a manifest, after its blobs, so that a failure leaves the tag as it was; give its digest."""
        answer = self._checked(self._ask("PUT", f"manifests/{tag}", body, {"Content-Type": kind}))
        return answer.headers["docker-content-digest"]

    def put_blob(self, body: bytes, digest: str) -> None:
        """Upload a blob unless the repository has it."""
        if self._ask("HEAD", f"blobs/{digest}").status == 200:
            return
        place = self._checked(self._ask("POST", "blobs/uploads/", b"")).headers["location"]
        url = urllib.parse.urljoin(self._url("blobs/uploads/"), place)
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({"digest": digest})
        self._checked(self._ask("PUT", url, body, {"Content-Type": "application/octet-stream"}))

    def may_push(self) -> None:
        """Raise ImageError where a push would be refused: an upload is begun and given up."""
        begun = self._checked(self._ask("POST", "blobs/uploads/", b""))
        self._ask("DELETE", urllib.parse.urljoin(self._url("blobs/uploads/"), begun.headers["location"]))

    def _url(self, path: str) -> str:
        scheme = "http" if self.reference.plain_http else "https"
        return f"{scheme}://{self.reference.host}/v2/{self.reference.repository}/{path}"

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[str, ...] = (),
    ) -> Answer:
        url = path if "://" in path else self._url(path)
        given = {**(headers or {}), **({"Accept": ", ".join(accept)} if accept else {})}
        answer = self._once(method, url, body, given)
        if answer.status == 401 and (challenge := answer.headers.get("www-authenticate")):
            self._authorization = self._authorize(challenge)
            if self._authorization:
                answer = self._once(method, url, body, given)
        return answer

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        # What a registry of cloud storage redirects to is another host's, and is not shown the login.
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers))  # noqa: S310
        if self._authorization and urllib.parse.urlsplit(url).netloc == self.reference.host:
            request.add_unredirected_header("Authorization", self._authorization)
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return Answer(answer.status, answer.read(), _lower(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), _lower(error.headers))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ImageError(
                f"the registry {self.reference.host} does not answer ({reason}): check its name, that it runs, and "
                "HTTPS_PROXY and NO_PROXY where a proxy is between"
            ) from None

    @property
    def _opener(self) -> urllib.request.OpenerDirector:
        # As Go's clients do, docker's and pack's among them: this machine itself is behind no proxy.
        here = self.reference.host.startswith(("localhost", "127.", "[::1]"))
        return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

    def _authorize(self, challenge: str) -> str:
        """Give the Authorization header that a challenge asks for, empty where there is nothing to give."""
        login = credentials.login(self.reference.host)
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return login.basic if login else ""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        actions = "pull,push" if self.pushing else "pull"
        scope = fields.get("scope") or f"repository:{self.reference.repository}:{actions}"
        query = urllib.parse.urlencode({"service": fields.get("service", ""), "scope": scope})
        url = f"{fields.get('realm', '')}?{query}"
        request = urllib.request.Request(url, headers={"Authorization": login.basic} if login else {})  # noqa: S310
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                given = _json(answer.read())
        except (OSError, ValueError):
            return ""
        token = given.get("token") or given.get("access_token")
        return f"Bearer {token}" if token else ""

    def _checked(self, answer: Answer) -> Answer:
        if answer.status in _FOUND:
            return answer
        raise ImageError(refusal(self.reference, answer.status, _reason(answer.body)))


def refusal(reference: Reference, status: int, reason: str) -> str:
    """Word a registry's refusal and its remedy."""
    host, said = reference.host, f" ({reason})" if reason else ""
    if status == 401:
        return f"{host} wants a login for {reference.repository}{said}: docker login {host}"
    if status == 403:
        return (
            f"{host} does not let you use {reference.repository}{said}: log in as somebody who may, or name a "
            "repository of your own"
        )
    if status == 404:
        return f"{host} has no {reference}{said}: check the spelling, or create the repository there"
    if status == 429:
        return f"{host} has had too many requests of yours{said}: log in, or try again later"
    return f"{host} answered {status} for {reference.repository}{said}: its own logs say more"


def _reason(body: bytes) -> str:
    try:
        error = json.loads(body)["errors"][0]
        return str(error.get("message") or error.get("code") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""


def _json(body: bytes) -> Content:
    found = json.loads(body)
    return found if isinstance(found, dict) else {}


def _lower(headers: Any) -> dict[str, str]:  # noqa: ANN401 - http.client's and urllib's are two classes
    return {str(name).lower(): str(value) for name, value in headers.items()}
