"""The health endpoint of a node that serves nothing itself."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_PATIENCE: Final = 2.0


class HeadServes:
    """Whether the head's server has ever been ready.

    In a rollout a node is then ready no sooner than the head that it belongs to, so that the nodes of the version
    before stay for as long as that one's head answers. What becomes of the head later is the head's own to report.
    """

    def __init__(self, url: str | None) -> None:
        self._url, self._ever = url, url is None

    def __call__(self) -> bool:
        """Ask, until the answer has once been yes."""
        self._ever = self._ever or self._asked()
        return self._ever

    def _asked(self) -> bool:
        try:
            with urllib.request.urlopen(self._url or "", timeout=_PATIENCE):  # noqa: S310 - the operator's own URL
                return True
        except urllib.error.HTTPError as answer:
            # Another server than ours has no such path, and is up.
            return answer.code == HTTPStatus.NOT_FOUND
        except OSError:
            return False


class _Server(ThreadingHTTPServer):
    """Listens on every address of the pod, of either family."""

    if socket.has_dualstack_ipv6():
        address_family = socket.AF_INET6

    def server_bind(self) -> None:
        """Bind, for IPv4 as well where the socket is of IPv6."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve(ready: Callable[[], bool], port: int) -> ThreadingHTTPServer:
    """Answer every GET with 200 while `ready`, else with 503, from a thread of its own; port 0 is a free one.

    Raises OSError where the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is http.server's
            """Answer."""
            self.send_response(HTTPStatus.OK if ready() else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: the kubelet asks every few seconds."""

    server = _Server(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="readiness", daemon=True).start()
    return server
