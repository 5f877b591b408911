"""The health endpoint of a node, asked over a real socket."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from modelwright.scale import readiness


class Head(http.server.BaseHTTPRequestHandler):
    """A server of the author's, whose answer the test sets."""

    status = 503
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def head() -> Iterator[str]:
    Head.status, Head.asked = 503, 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Head)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v2/health/ready"
    server.shutdown()
    server.server_close()


def test_the_status_says_whether_it_is_ready() -> None:
    ready = False
    server = readiness.serve(lambda: ready, 0)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(url, timeout=30)
    ready = True
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
    server.shutdown()
    server.server_close()


def test_once_the_head_has_been_ready_it_is_asked_no_more(head: str) -> None:
    served = readiness.HeadServes(head)
    assert not served()
    Head.status = 200
    assert served()
    Head.status = 503
    assert served()
    assert Head.asked == 2


def test_a_server_without_such_a_path_is_up(head: str) -> None:
    Head.status = 404
    assert readiness.HeadServes(head)()


def test_nobody_there_is_not_ready_and_nobody_named_is() -> None:
    assert not readiness.HeadServes("http://127.0.0.1:9/")()
    assert readiness.HeadServes(None)()
