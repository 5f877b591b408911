"""A registry that answers as it is told, in a thread of the test's own: for what no real one does on demand."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD, TOKEN, PULL_TOKEN = "alice", "s3cret-of-alice", "token-of-alice", "lesser-token-of-alice"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Stub:
    """`logins` is how it wants one: `none`, `basic` or `bearer`; `refuse` is a status for every path below /v2/.

    `realm` is where it says that tokens are, by default at its own.
    """

    host: str
    logins: str = "none"
    refuse: int = 0
    realm: str = ""
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)


@contextmanager
def stub_registry() -> Iterator[Stub]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.stub = Stub(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.stub
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        stub: Stub = self.server.stub
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        stub.asked.append(f"{self.command} {self.path.partition('?')[0]}")
        if self.path.startswith("/token"):
            stub.scopes.append(self.path)
            allowed = self.headers.get("Authorization") == BASIC
            token = TOKEN if "push" in self.path else PULL_TOKEN
            self._send(200 if allowed else 401, json.dumps({"token": token} if allowed else {}).encode())
        elif not self._may(stub):
            self._send(401, _error("authentication required"), {"WWW-Authenticate": self._challenge(stub)})
        elif stub.refuse:
            self._send(stub.refuse, _error("the stub was told to refuse"))
        else:
            self._registry(stub, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def _may(self, stub: Stub) -> bool:
        tokens = (TOKEN, PULL_TOKEN) if self.command in ("GET", "HEAD") else (TOKEN,)
        wanted = [BASIC] if stub.logins == "basic" else [f"Bearer {token}" for token in tokens]
        return stub.logins == "none" or self.headers.get("Authorization") in wanted

    def _challenge(self, stub: Stub) -> str:
        realm = stub.realm or f"http://{stub.host}/token"
        return 'Basic realm="stub"' if stub.logins == "basic" else f'Bearer realm="{realm}",service="s"'

    def _registry(self, stub: Stub, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        name = path.rpartition("/")[2]
        if "/blobs/uploads" in path and self.command == "POST":
            self._send(202, b"", {"Location": f"{path}one?state=x"})
        elif "/blobs/uploads" in path and self.command == "PUT":
            stub.blobs[query.partition("digest=")[2].replace("%3A", ":")] = body
            self._send(201, b"")
        elif self.command == "DELETE":
            self._send(204, b"")
        elif self.command == "PUT":
            stub.manifests[name] = body
            self._send(201, b"", {"Docker-Content-Digest": "sha256:" + "1" * 64})
        else:
            found = (stub.blobs if "/blobs/" in path else stub.manifests).get(name)
            headers = {"Docker-Content-Digest": "sha256:" + "1" * 64, "Content-Type": MANIFEST}
            self._send(200 if found is not None else 404, found if found is not None else _error("unknown"), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _error(message: str) -> bytes:
    return json.dumps({"errors": [{"code": "X", "message": message}]}).encode()
