import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class WebServer:
    """A real HTTP server on a free port of the loopback; `pages` maps a path to what answers it."""

    url: str = ""
    pages: dict[str, Callable[[http.server.BaseHTTPRequestHandler], Answer]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def file(self, path: str, content: bytes, *, etag: str | None = '"v1"', ranges: bool = True) -> str:
        """Serve a file the way object stores do: ranges and a strong ETag."""

        def answer(request: http.server.BaseHTTPRequestHandler) -> Answer:
            headers = {"Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT", **({"ETag": etag} if etag else {})}
            wanted = request.headers.get("Range")
            if ranges and wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                end = min(int(last) + 1 if last else len(content), len(content))
                headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
                return 206, headers, content[int(first) : end]
            return 200, headers, content

        self.pages[path] = answer
        return self.url + path


@pytest.fixture
def web() -> Iterator[WebServer]:
    site = WebServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            status, headers, body = site.pages.get(path, lambda _: (404, {}, b"nothing"))(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            # A body shorter than announced is a connection that breaks off.
            self.close_connection = int(headers.get("Content-Length", len(body))) != len(body)

        do_HEAD = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that hangs up early is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()
