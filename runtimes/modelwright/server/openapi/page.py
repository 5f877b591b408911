"""`/docs`: /openapi.json for a reader.

A page of our own, whole in one file: clusters have no internet for a CDN, and Swagger UI's assets are megabytes that
every image would carry for a page that most servers never show.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from modelwright.server.rest.headers import Headers

_PAGE: Final = Path(__file__).with_name("docs.html")
_INLINE = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


@cache
def content() -> bytes:
    """Give the page."""
    return _PAGE.read_bytes()


@cache
def headers() -> Headers:
    """Give its headers: nothing runs in it but its own script, and it talks to nobody but this server."""
    hashes = {
        kind.decode(): base64.b64encode(hashlib.sha256(text).digest()) for kind, text in _INLINE.findall(content())
    }
    policy = (
        b"default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        b"script-src 'sha256-%s'; style-src 'sha256-%s'" % (hashes["script"], hashes["style"])
    )
    return [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy),
        (b"x-content-type-options", b"nosniff"),
    ]
