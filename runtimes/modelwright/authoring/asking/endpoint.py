"""A server's REST address: GET and POST, with the headers that an ingress or a gateway wants."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from modelwright.authoring.errors import Mistake, Refused, Unreachable

_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON it is
        """Parse the body; raises ValueError where it is no JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """What the server said was wrong: the `error` or `detail` of a JSON body, else its text."""
        try:
            parsed = self.json()
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            for key in ("error", "detail"):
                if key in parsed:
                    return parsed[key] if isinstance(parsed[key], str) else json.dumps(parsed[key])
        text = self.body.decode("utf-8", "replace").strip()
        return text[:_LONGEST_TEXT] or "(nothing)"


class Endpoint:
    """`http://host:port/prefix`. Host among `headers` is what an ingress routes by; `timeout` is in seconds.

    Raises Mistake for what is no http or https address.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float, ca: str | None = None) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise Mistake(f"--url {url!r} is no address; expected http://HOST:PORT, https://HOST or grpc://HOST:PORT")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._prefix = parts.path.rstrip("/")
        self._headers, self._timeout, self._ca = dict(headers), timeout, ca

    def get(self, path: str) -> Reply:
        """GET; raises Unreachable."""
        return self._exchange("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST; raises Unreachable."""
        return self._exchange("POST", path, body, headers)

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST; raises Unreachable, and Refused for an answer of 400 and above."""
        reply = self.post(path, body, headers)
        if reply.status >= 400:
            raise Refused(reply.error, str(reply.status))
        return reply

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        connection = self._connection()
        try:
            connection.request(method, self._prefix + path, body, {**headers, **self._headers})
            answer = connection.getresponse()
            content = answer.read()
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"{self.url} shows a certificate that is not trusted ({error.verify_message}): name its authority "
                "with --ca FILE"
            ) from None
        except TimeoutError:
            raise Unreachable(
                f"{self.url} did not answer within {self._timeout:g} s: see --timeout, and the server's log"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(f"{self.url} cannot be reached ({reason}): is the server running? See --url") from None
        finally:
            connection.close()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def _connection(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            context = ssl.create_default_context(cafile=self._ca)
        except OSError as error:
            raise Mistake(f"--ca {self._ca}: {error.strerror or error}") from None
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
