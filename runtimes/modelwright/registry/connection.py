"""Requests to registries: by HTTPS or plain HTTP, past proxies, with the login that a registry asks for."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.error
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Final
from urllib.parse import urlencode, urlsplit

from modelwright.registry.caller import Caller
from modelwright.registry.reference import Reference
from modelwright.weights import guarded
from modelwright.weights.addresses import ForbiddenAddressError

DOCUMENT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a manifest or configuration, the limit that registries have themselves."""
_SECRETS: Final = frozenset({"authorization"})
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_THIS_MACHINE: Final = ("localhost", "127.", "[::1]")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a repository; `path` is below it, or a whole address."""

    method: str
    reference: Reference
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body of at most one byte more than `DOCUMENT_LIMIT`, and headers by their names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Connection:
    """Sends requests and logs in where it is asked to; what a registry gave for a login is kept."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._given: dict[tuple[str, str], str] = {}

    def url(self, reference: Reference, path: str) -> str:
        """Return the address of something in a repository."""
        return f"{self._scheme(reference)}://{reference.host}/v2/{reference.repository}/{path}"

    def ask(self, request: Request) -> Answer:
        """Return the answer, whatever its status; raise the caller's error where there is none."""
        try:
            answer: http.client.HTTPResponse | urllib.error.HTTPError = self.open(request)
        except urllib.error.HTTPError as error:
            answer = error
        try:
            with closing(answer):
                return Answer(answer.status or 0, answer.read(DOCUMENT_LIMIT + 1), _lower(answer.headers))
        except (OSError, http.client.HTTPException) as error:
            raise self._caller.silent(request.reference, error) from None

    def open(self, request: Request) -> http.client.HTTPResponse:
        """Return the answer once its headers are there.

        Raises the caller's error where there is none, and `urllib.error.HTTPError` for one of 300 or more.
        """
        try:
            return self._send(request)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            if error.code != 401 or not self._logged_in(request, challenge):
                raise
        return self._send(request)

    def _send(self, request: Request) -> http.client.HTTPResponse:
        reference, path = request.reference, request.path
        url = path if "://" in path else self.url(reference, path)
        headers = {"User-Agent": "modelwright", **request.headers}
        # An upload's address may be another host's, which is not shown the login.
        given = self._given.get((reference.host, reference.repository))
        if given and urlsplit(url).netloc == reference.host:
            headers["Authorization"] = given
        return self._call(reference, url, headers, request.method, request.body)

    def _call(
        self,
        reference: Reference,
        url: str,
        headers: Mapping[str, str],
        method: str = "GET",
        body: bytes | None = None,
    ) -> http.client.HTTPResponse:
        # As Go's clients do, docker's and pack's among them: this machine itself is behind no proxy.
        direct = reference.host.startswith(_THIS_MACHINE)
        try:
            return guarded.send(
                url, headers, trusted=self._trusted, secrets=_SECRETS, method=method, body=body, direct=direct
            )
        except urllib.error.HTTPError:
            raise
        except (OSError, ForbiddenAddressError, http.client.HTTPException) as error:
            raise self._caller.silent(reference, error) from None

    def _logged_in(self, request: Request, challenge: str) -> bool:
        """Keep the Authorization header that a challenge asks for; False where there is none but the one before."""
        reference = request.reference
        login = self._caller.login(reference.host)
        scheme, _, rest = challenge.partition(" ")
        given = ""
        if scheme.lower() == "basic":
            given = login.basic if login else ""
        elif scheme.lower() == "bearer":
            given = self._token(request, dict(_CHALLENGE.findall(rest)), login.basic if login else "")
        before = self._given.get((reference.host, reference.repository))
        self._given[reference.host, reference.repository] = given
        return bool(given) and given != before

    def _token(self, request: Request, challenge: Mapping[str, str], basic: str) -> str:
        reference = request.reference
        realm = challenge.get("realm", "")
        if not realm.startswith(("https://", f"{self._scheme(reference)}://")):
            why = f"the registry asks for a token from {realm!r}"
            raise self._caller.failure(str(reference), why, "Use HTTPS for it.")
        actions = "pull" if request.method in ("GET", "HEAD") else "pull,push"
        scope = challenge.get("scope") or f"repository:{reference.repository}:{actions}"
        query = urlencode({"service": challenge.get("service", ""), "scope": scope})
        headers = {"User-Agent": "modelwright", **({"Authorization": basic} if basic else {})}
        try:
            with closing(self._call(reference, f"{realm}?{query}", headers)) as answer:
                content = json.loads(answer.read(DOCUMENT_LIMIT))
            token = content.get("token") or content.get("access_token")
        except (urllib.error.HTTPError, ValueError, AttributeError):
            # The registry's own refusal is then what is told.
            return ""
        return f"Bearer {token}" if token else ""

    def _scheme(self, reference: Reference) -> str:
        return "http" if reference.plain_http(self._caller.insecure) else "https"

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
