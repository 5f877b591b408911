"""https:// and http:// URLs of one file, with headers from a Secret for the hosts that want them."""

import http.client
import json
import re
import ssl
import urllib.error
from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from modelwright.weights import trust
from modelwright.weights.addresses import ForbiddenAddressError
from modelwright.weights.errors import InterruptedTransferError, WeightsError
from modelwright.weights.guarded import send
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from modelwright.weights.source import Item
from modelwright.weights.transfer import Transfer

_CHUNK = 1024 * 1024
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_WEB_NAMES = (".html", ".htm", ".xhtml")
_REMEDIES = {
    401: "Give the host's credentials: a Secret with the keys https-host and headers, in the ServiceAccount.",
    403: "The credentials may not read it, or a presigned URL has expired: renew it.",
    404: "Correct the URL: there is nothing at it.",
    410: "Correct the URL: the file has been removed.",
    407: "The proxy wants credentials: put them into HTTPS_PROXY.",
}
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


def headers_for(uri: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the environment holds for the URI's host: KServe's `<host>-headers`, JSON.

    Our operator, which reads no Secret, hands over the Secret's keys `https-host` and `headers` as they are.
    Raises `WeightsError` when they are not a JSON object of strings.
    """
    parts = urlsplit(uri)
    hosts = {parts.netloc, parts.hostname}
    name = next((f"{host}-headers" for host in hosts if f"{host}-headers" in env), None)
    if name is None and env.get("https-host") in hosts and "headers" in env:
        name = "headers"
    if name is None:
        return {}
    try:
        content = json.loads(env[name])
    except ValueError:
        content = None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise WeightsError(
            uri,
            f"the headers for {parts.hostname} are not a JSON object of strings",
            'Write the Secret\'s key headers like {"Authorization": "Bearer ..."}.',
        )
    return content


class Seen(NamedTuple):
    """What an answer's headers say about the file."""

    size: int | None
    etag: str | None
    ranges: bool


def seen(answer: http.client.HTTPResponse) -> Seen:
    """Read size, strong ETag and whether parts can be asked for out of an answer to `Range: bytes=0-0`."""
    etag = answer.headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        whole = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        return Seen(int(whole[1]) if whole else None, strong, strong is not None and whole is not None)
    length = answer.headers.get("Content-Length", "")
    return Seen(int(length) if length.isdecimal() else None, strong, False)


class HttpsSource:
    """One file at a URL, in parts and resumed where the server gives ranges and a strong ETag."""

    unpacks = True

    def __init__(self, uri: str, env: Mapping[str, str]) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        if not parts.hostname:
            raise WeightsError(uri, "names no host", "Write https://host/path/to/file.")
        self._name = unquote(parts.path).rpartition("/")[2]
        if not self._name:
            raise WeightsError(uri, "names no file", "End the URL with the file's name; folders cannot be listed.")
        self._headers = headers_for(uri, env)
        self._trusted = ssl.create_default_context()
        bundle = trust.ca_bundle(uri, env)
        if bundle is not None:
            self._trusted.load_verify_locations(bundle)

    def items(self) -> list[Item]:
        """Ask for the file's first byte: a presigned URL allows no HEAD."""
        try:
            with self._get({"Range": "bytes=0-0"}) as answer:
                facts = seen(answer)
                kind = answer.headers.get_content_type()
        except InterruptedTransferError as reason:
            raise WeightsError(self.uri, str(reason), "Check the host, network policies and proxies.") from reason
        if kind in _PAGES and not self._name.lower().endswith(_WEB_NAMES):
            raise WeightsError(
                self.uri,
                f"the server answers with a web page ({kind}), not with a file",
                "It may be a login or preview page: use the link that downloads the file itself.",
            )
        return [Item(self._name, self._name, facts.size, facts.etag, facts.ranges)]

    def download(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Fetch the file."""
        Transfer(self.uri, self._read).run(items, partial, progress)

    def _read(self, item: Item, start: int, stop: int | None) -> Generator[bytes, None, None]:
        wanted = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"} if item.ranges else {}
        with self._get(wanted) as answer:
            if seen(answer).etag != item.etag:
                raise WeightsError(
                    self.uri, "the file changed while it was fetched", "Try again once its upload is over."
                )
            if item.ranges and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                raise InterruptedTransferError("the server ignores the range asked for")
            try:
                while chunk := answer.read1(_CHUNK):
                    yield chunk
            except (http.client.HTTPException, OSError) as error:
                raise InterruptedTransferError(_told(error)) from error

    def _get(self, more: Mapping[str, str]) -> http.client.HTTPResponse:
        secrets = frozenset(name.lower() for name in self._headers) | {"authorization", "cookie"}
        headers = {"User-Agent": "modelwright", **self._headers, **more}
        try:
            return send(self.uri, headers, trusted=self._trusted, secrets=secrets)
        except ForbiddenAddressError as reason:
            raise WeightsError(
                self.uri, str(reason), "Use a URL that leads to the file without that address."
            ) from reason
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _LATER:
                raise InterruptedTransferError(f"the server answers {error.code} {error.reason}") from error
            remedy = _REMEDIES.get(error.code, "Open the URL with the same headers to see why.")
            raise WeightsError(self.uri, f"the server answers {error.code} {error.reason}", remedy) from error
        except (OSError, http.client.HTTPException) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise WeightsError(
                    self.uri,
                    f"the host's certificate is not trusted ({cause.verify_message})",
                    "Give its authority's certificate: CA_BUNDLE_CONFIGMAP_NAME.",
                ) from error
            raise InterruptedTransferError(_told(cause)) from error


def _told(error: object) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
