"""Models are loaded and unloaded on the admin port, in every worker, and nowhere else."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.kserve_servers import free_port
from tests.conformance.server_process import Server

DEADLINE_S = 40


class Administered:
    """A server, and its admin port."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port

    def ask(self, path: str, body: object = None, method: str = "POST"):
        return self.server.ask(method, f"/v2/repository/{path}", body, port=self.port, timeout=60)

    def index(self) -> dict[str, str]:
        return {each["name"]: each["state"] for each in self.ask("index").json}

    def pids(self, workers: int, name: str = "heavy", wait: float = 0.2) -> set[int]:
        """Ask until as many processes have answered; each connection may reach any of them."""
        seen: set[int] = set()

        def collect() -> bool:
            with ThreadPoolExecutor(4 * workers) as pool:
                asked = [pool.submit(self.predict, name, async_wait=wait) for _ in range(4 * workers)]
            replies = [each.result() for each in asked]
            assert {reply.status for reply in replies} == {200}, [reply.body for reply in replies]
            seen.update(reply.json["pid"] for reply in replies)
            return len(seen) >= workers

        until(collect)
        return seen

    def statuses(self, count: int = 24) -> set[int]:
        return {self.predict().status for _ in range(count)}

    def predict(self, name: str = "heavy", **payload):
        return self.server.ask("POST", f"/v1/models/{name}:predict", {"instances": [1], **payload}, timeout=60)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def administered(start) -> Callable[..., Administered]:
    def begin(*flags: str, workers: int = 1, **environment: str) -> Administered:
        port = free_port()
        server = start(f"--admin_port={port}", f"--workers={workers}", *flags, models="admin_models", **environment)
        return Administered(server.wait_until_serving(workers), port)

    return begin


def resident(pid: int) -> int:
    """Give a process's memory in MiB that is not shared with a file."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(pid)


def test_a_model_is_unloaded_gives_its_memory_back_and_is_loaded_again(administered):
    served = administered()
    pid = served.server.process.pid
    assert served.index() == {"heavy": "READY", "other": "READY"}
    before = resident(pid)
    reply = served.ask("models/heavy/unload")
    assert (reply.status, reply.json) == (200, {"name": "heavy", "unload": True})
    assert resident(pid) < before - 50
    assert served.index() == {"heavy": "UNAVAILABLE", "other": "READY"}
    assert [each["name"] for each in served.ask("index", {"ready": True}).json] == ["other"]
    assert served.predict().status == 404
    assert served.server.ask("GET", "/v2/models/heavy/ready").status == 404
    assert served.server.ask("GET", "/v2/models").json == {"models": ["other"]}
    assert served.server.ask("GET", "/v2/health/ready").status == 200
    assert served.predict("other").status == 200
    assert served.ask("models/heavy/unload").status == 200
    reply = served.ask("models/heavy/load")
    assert (reply.status, reply.json) == (200, {"name": "heavy", "load": True})
    assert served.predict().status == 200
    assert served.ask("models/heavy/load").status == 200


def test_requests_in_work_end_before_their_model_goes(administered, tmp_path):
    served = administered()
    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(served.predict, hold=str(tmp_path))
        until((tmp_path / "begun").exists)
        unloading = pool.submit(served.ask, "models/heavy/unload")
        until(lambda: served.index()["heavy"] == "UNLOADING")
        assert served.predict().status == 404
        (tmp_path / "go").touch()
        assert working.result().status == 200
        assert unloading.result().status == 200


def test_a_load_that_fails_says_so_and_leaves_the_model_unloaded(administered, tmp_path):
    served = administered(FOLDER=str(tmp_path))
    served.ask("models/heavy/unload")
    (tmp_path / "fail-once").touch()
    reply = served.ask("models/heavy/load")
    assert reply.status == 503
    assert "ValueError" in reply.json["error"]
    assert str(tmp_path) not in reply.json["error"]
    assert "are cut short" in served.server.log
    assert served.index()["heavy"] == "UNAVAILABLE"
    assert served.ask("models/heavy/load").status == 200


def test_an_unload_that_raises_is_told_and_the_model_is_out_of_service(administered):
    served = administered(UNLOAD_FAILS="1")
    reply = served.ask("models/heavy/unload")
    assert (reply.status, "RuntimeError" in reply.json["error"]) == (503, True)
    assert served.predict().status == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("models/nobody/load", None, 404, "'nobody'"),
        ("models/nobody/unload", None, 404, "'nobody'"),
        ("models/heavy/reload", None, 404, "/v2/repository/index"),
        ("models/heavy/load", b"[", 400, "JSON"),
        ("models/heavy/load", [], 400, "JSON object"),
        ("models/heavy/load", {"parameters": {"config": "{}"}}, 400, "'config'"),
        ("models/heavy/load", {"parameters": 1}, 400, "'parameters'"),
        ("models/heavy/load", {"force": True}, 400, "'force'"),
        ("models/heavy/unload", {"parameters": {"unload_dependents": 1}}, 400, "'unload_dependents'"),
        ("index", {"ready": "yes"}, 400, "'ready'"),
        ("index", {"name": "heavy"}, 400, "'name'"),
        ("index", b" " * 100_000, 413, "--max_body_size_mb"),
    ],
)
def test_what_is_asked_wrong_is_refused_with_a_reason(shared, path, body, status, said):
    reply = shared.ask(path, body)
    assert (reply.status, said in reply.json["error"]) == (status, True), reply.body
    assert shared.index() == {"heavy": "READY", "other": "READY"}


def test_only_a_post_is_answered(shared):
    reply = shared.ask("index", method="GET")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    port = free_port()
    server = Server(tmp_path_factory.mktemp("admin"), f"--admin_port={port}", models="admin_models")
    try:
        yield Administered(server.wait_until_serving(), port)
    finally:
        server.kill()


def test_what_tritons_http_client_sends_is_taken(shared):
    # Its bodies, as tritonclient.http 2.73 writes them.
    assert shared.ask("index", b"").json[0] == {"name": "heavy", "version": "3", "state": "READY", "reason": ""}
    assert shared.ask("models/heavy/unload", b'{"parameters": {"unload_dependents": false}}').status == 200
    assert shared.ask("index", b"").json[0]["reason"] == "unloaded"
    assert shared.ask("models/heavy/load", b"{}").status == 200
    assert shared.predict().status == 200


def test_every_worker_unloads_and_loads_and_so_does_one_that_takes_anothers_place(administered):
    served = administered(workers=3)
    parent = served.server.process.pid
    shared_weights = resident(parent)
    first = served.pids(3)
    assert served.ask("models/heavy/unload").status == 200
    assert served.statuses() == {404}
    assert resident(parent) < shared_weights - 50
    os.kill(next(iter(first)), signal.SIGKILL)
    served.server.wait_until_serving(4)
    # The one that replaces it was forked without the model.
    assert served.pids(3, "other") != first
    assert served.statuses() == {404}
    assert served.ask("models/heavy/load").status == 200
    loaded = served.pids(3)
    os.kill(next(iter(loaded)), signal.SIGKILL)
    served.server.wait_until_serving(5)
    # This one has loaded it before it served.
    assert served.pids(3) != loaded
    assert served.statuses() == {200}
    assert served.server.stop() == 0


def test_a_load_that_fails_in_one_worker_is_undone_in_all(administered, tmp_path):
    served = administered(workers=3, FOLDER=str(tmp_path))
    assert served.ask("models/heavy/unload").status == 200
    (tmp_path / "fail-once").touch()
    reply = served.ask("models/heavy/load")
    assert reply.status == 503
    assert "in 1 of 3 workers" in reply.json["error"]
    assert served.statuses() == {404}
    assert served.ask("models/heavy/load").status == 200
    assert served.statuses() == {200}


def test_a_load_that_kills_workers_is_undone_and_the_others_serve_on(administered, tmp_path):
    served = administered(workers=2, FOLDER=str(tmp_path))
    assert served.ask("models/heavy/unload").status == 200
    (tmp_path / "die").touch()
    # The worker that was asked dies of it too, and its connection with it.
    with contextlib.suppress(OSError, http.client.HTTPException):
        assert served.ask("models/heavy/load").status == 503
    (tmp_path / "die").unlink()
    served.server.wait_until_serving(4)
    assert served.statuses() == {404}
    assert served.predict("other").status == 200
    assert served.ask("models/heavy/load").status == 200
    assert served.statuses() == {200}


def test_two_who_ask_at_once_are_both_answered(administered):
    served = administered(workers=2)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(served.ask, f"models/{name}/{verb}")
            for name in ("heavy", "other")
            for verb in ("unload", "load", "unload", "load")
        ]
    assert {each.result().status for each in asked} == {200}
    for name in ("heavy", "other"):
        assert served.ask(f"models/{name}/load").status == 200
        assert {served.predict(name).status for _ in range(12)} == {200}


def test_it_listens_on_the_loopback_address_only(shared):
    listening = {
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == shared.port
    }
    assert listening == {f"0100007F:{shared.port:04X}"}


def test_a_taken_admin_port_is_named(start, shared):
    server = start(f"--admin_port={shared.port}", models="admin_models")
    assert server.process.wait(30) == 1
    assert "--admin_port" in server.log
