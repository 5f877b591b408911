"""Reading from a registry by the distribution API: manifests, configs, layers; tokens where it asks for them."""

import hashlib
import http.client
import json
import re
import ssl
import urllib.error
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from modelwright.sources import logins
from modelwright.sources.reference import Reference
from modelwright.weights.addresses import ForbiddenAddressError
from modelwright.weights.errors import WeightsError
from modelwright.weights.guarded import get

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
MANIFEST_LIMIT = 4 * 1024 * 1024
"""Bytes of a manifest or config, the limit that registries have themselves."""
_SECRETS = frozenset({"authorization"})
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_CHUNK = 1024 * 1024
_REMEDIES = {
    401: "Add a Secret of type kubernetes.io/dockerconfigjson to the ServiceAccount's imagePullSecrets.",
    403: "The credentials may not read it: correct the ServiceAccount's imagePullSecrets.",
    404: "Check its name and tag, and that it was pushed.",
}


@dataclass(slots=True)
class Registry:
    """Requests to registries with the logins of a docker config; `insecure` are hosts that speak plain HTTP."""

    config: Mapping[str, Any] = field(default_factory=dict)
    insecure: Collection[str] = ()
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def manifest(self, reference: Reference) -> tuple[str, dict[str, Any]]:
        """Return digest and content of a manifest or index. Raises `WeightsError`."""
        accept = ", ".join((*INDEXES, *MANIFESTS))
        body = self._read(reference, f"manifests/{reference.version}", accept)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if reference.digest and digest != reference.digest:
            raise WeightsError(str(reference), f"the registry sent {digest}", "The registry or a proxy is broken.")
        return digest, _json(reference, body)

    def image(self, reference: Reference, architecture: str) -> dict[str, Any]:
        """Return the manifest of an image, out of an index the one for linux on `architecture`. Raises WeightsError."""
        _, content = self.manifest(reference)
        if "manifests" not in content:
            return content
        for entry in content["manifests"]:
            platform = entry.get("platform") or {}
            if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
                return self.manifest(Reference(reference.host, reference.repository, digest=entry["digest"]))[1]
        raise WeightsError(str(reference), f"is not there for linux/{architecture}", "Push it for this architecture.")

    def config_of(self, reference: Reference, architecture: str) -> dict[str, Any]:
        """Return an image's config. Raises `WeightsError`."""
        digest = str(self.image(reference, architecture)["config"]["digest"])
        body = self._read(reference, f"blobs/{digest}", "*/*")
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise WeightsError(str(reference), "its config is damaged", "Push it again.")
        return _json(reference, body)

    def blob(self, reference: Reference, digest: str) -> Iterator[bytes]:
        """Yield a blob's bytes; what they are worth is the caller's to check by the digest. Raises `WeightsError`."""
        with closing(self._open(reference, f"blobs/{digest}", "*/*")) as answer:
            while chunk := answer.read(_CHUNK):
                yield chunk

    def _read(self, reference: Reference, path: str, accept: str) -> bytes:
        with closing(self._open(reference, path, accept)) as answer:
            body = answer.read(MANIFEST_LIMIT + 1)
        if len(body) > MANIFEST_LIMIT:
            raise WeightsError(str(reference), f"{path} is larger than {MANIFEST_LIMIT} bytes", "Is this an image?")
        return body

    def _open(self, reference: Reference, path: str, accept: str) -> http.client.HTTPResponse:
        url = f"{reference.scheme(self.insecure)}://{reference.host}/v2/{reference.repository}/{path}"
        headers = {"Accept": accept, "User-Agent": "modelwright"}
        known = self._tokens.get((reference.host, reference.repository)) or logins.basic(self.config, reference.host)
        if known:
            headers["Authorization"] = known
        try:
            return _get(reference, url, headers)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            if error.code != 401 or not challenge.lower().startswith("bearer "):
                raise _refused(reference, error) from None
        headers["Authorization"] = self._token(reference, dict(_CHALLENGE.findall(challenge)))
        try:
            return _get(reference, url, headers)
        except urllib.error.HTTPError as error:
            raise _refused(reference, error) from None

    def _token(self, reference: Reference, challenge: Mapping[str, str]) -> str:
        query = {"service": challenge.get("service", ""), "scope": f"repository:{reference.repository}:pull"}
        headers = {"User-Agent": "modelwright"}
        if login := logins.basic(self.config, reference.host):
            headers["Authorization"] = login
        realm = challenge.get("realm", "")
        if not realm.startswith(("https://", f"{reference.scheme(self.insecure)}://")):
            raise WeightsError(str(reference), f"the registry asks for a token from {realm!r}", "Use HTTPS for it.")
        try:
            with closing(_get(reference, f"{realm}?{urlencode(query)}", headers)) as answer:
                content = _json(reference, answer.read(MANIFEST_LIMIT))
        except urllib.error.HTTPError as error:
            raise _refused(reference, error) from None
        token = f"Bearer {content.get('token') or content.get('access_token') or ''}"
        self._tokens[reference.host, reference.repository] = token
        return token


def _get(reference: Reference, url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    try:
        return get(url, headers, trusted=ssl.create_default_context(), secrets=_SECRETS)
    except urllib.error.HTTPError:
        raise
    except (OSError, ForbiddenAddressError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            str(reference),
            f"the registry {reference.host} does not answer: {reason}",
            "Check its name, and that pods reach it; one without TLS belongs into the setting insecureRegistries.",
        ) from error


def _refused(reference: Reference, error: urllib.error.HTTPError) -> WeightsError:
    remedy = _REMEDIES.get(error.code, "Look at the registry's log.")
    return WeightsError(str(reference), f"the registry answers {error.code} {error.reason}", remedy)


def _json(reference: Reference, body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise WeightsError(str(reference), "the registry sent no JSON", "Is this host a registry?")
    return content
