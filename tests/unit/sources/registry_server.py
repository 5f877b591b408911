"""A registry of a test's own: enough of the distribution API to read from, with or without tokens."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class FakeRegistry:
    """What is pushed to it is kept in memory. `login` is what a token's Authorization must be, None for anybody."""

    def __init__(self) -> None:
        self.host = ""
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.login: str | None = None
        self.asked: list[tuple[str, str]] = []

    def blob(self, data: bytes, kind: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def manifest(self, tag: str, content: dict[str, Any]) -> str:
        body = json.dumps(content).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        kind = content.get("mediaType", MANIFEST)
        self.manifests[tag] = self.manifests[digest] = (kind, body)
        return digest

    def image(self, tag: str, *layers: dict[str, Any], config: dict[str, Any] | None = None) -> str:
        described = self.blob(json.dumps({"config": config or {}}).encode(), "application/vnd.oci.image.config.v1+json")
        return self.manifest(tag, {"mediaType": MANIFEST, "config": described, "layers": list(layers)})

    def layer(self, *members: tarfile.TarInfo | tuple[str, str], kind: str = LAYER) -> dict[str, Any]:
        """A layer of files (name and text) and of members as they are."""
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as plain, tarfile.open(fileobj=plain, mode="w") as tar:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    tar.addfile(member)
                else:
                    info = tarfile.TarInfo(member[0])
                    info.size = len(member[1])
                    tar.addfile(info, io.BytesIO(member[1].encode()))
        return self.blob(packed.getvalue(), kind)

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, authorization or ""))
        if path.startswith("/token"):
            return (200, {}, b'{"token": "t0k"}') if authorization == self.login else (401, {}, b"{}")
        if self.login is not None and authorization != "Bearer t0k":
            challenge = f'Bearer realm="http://{self.host}/token",service="test"'
            return 401, {"WWW-Authenticate": challenge}, b"{}"
        _, _, rest = path.partition("/models/iris/")
        kind, _, name = rest.partition("/")
        if kind == "manifests" and name in self.manifests:
            media, body = self.manifests[name]
            return 200, {"Content-Type": media}, body
        if kind == "blobs" and name in self.blobs:
            return 200, {}, self.blobs[name]
        return 404, {}, b"{}"


@contextmanager
def serving() -> Iterator[FakeRegistry]:
    registry = FakeRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, headers, body = registry.answer(self.path, self.headers.get("Authorization"))
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield registry
    server.shutdown()
    thread.join()
    server.server_close()
