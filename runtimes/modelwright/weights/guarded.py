"""An HTTP client of the standard library's parts, with guarded connections and wary redirects."""

import http.client
import ssl
import urllib.request
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import urlsplit

from modelwright.weights.addresses import ForbiddenAddressError, Guard

_TIMEOUT = 30.0
_REDIRECTS = 5


def send(
    url: str,
    headers: Mapping[str, str],
    *,
    trusted: ssl.SSLContext,
    secrets: frozenset[str],
    method: str = "GET",
    body: bytes | None = None,
    direct: bool = False,
) -> http.client.HTTPResponse:
    """Send a request and return the answer once its headers are there.

    The proxies of the environment are used, unless `direct`. `secrets` are the lower-case names of headers that only
    the URL's own host may see. Raises
    `ForbiddenAddressError`, `OSError`, and `urllib.error.HTTPError` for an answer of 300 or more.
    """
    guard = Guard()
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if direct else None),
        _Plain(guard),
        _Secure(guard, trusted),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(guard, secrets),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    guard.literal(urlsplit(url).hostname or "")
    request = urllib.request.Request(url, body, dict(headers), method=method)  # noqa: S310 - by handlers of http(s)
    answer = opener.open(request, timeout=_TIMEOUT)
    if not isinstance(answer, http.client.HTTPResponse):
        raise OSError("not an HTTP answer")
    return answer


class _PlainConnection(http.client.HTTPConnection):
    def __init__(self, host: str, *, guard: Guard, **kwargs: Any) -> None:  # noqa: ANN401 - http.client's
        super().__init__(host, **kwargs)
        self._create_connection = guard.connect


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, guard: Guard, **kwargs: Any) -> None:  # noqa: ANN401 - http.client's
        super().__init__(host, **kwargs)
        self._create_connection = guard.connect


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PlainConnection, req, guard=self._guard)  # type: ignore[arg-type]


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, guard: Guard, trusted: ssl.SSLContext) -> None:
        super().__init__(context=trusted)
        self._guard = guard
        self._trusted = trusted

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req, guard=self._guard, context=self._trusted)  # type: ignore[arg-type]


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _REDIRECTS

    def __init__(self, guard: Guard, secrets: frozenset[str]) -> None:
        self._guard = guard
        self._secrets = secrets

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in {"http", "https"} or (old.scheme, new.scheme) == ("https", "http"):
            raise ForbiddenAddressError(f"a redirect leads from {old.scheme} to {new.scheme}")
        self._guard.literal(new.hostname or "")
        follow = super().redirect_request(req, fp, code, msg, headers, newurl)
        if follow is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            for name in [name for name in follow.headers if name.lower() in self._secrets]:
                follow.remove_header(name)
        return follow
