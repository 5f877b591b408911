"""A Ray of two nodes: a server that heads it, and `modelwright join` in the place of the second pod."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conformance.kserve_servers import free_port
from tests.conformance.server_process import ROOT, Server

PATIENCE = 180
# Ray gives up where its own agents take more than 15 s to start, as they do on a busy machine; a pod's container is
# started again then.
STARTS = 4
STARTED = "Ray of this process's own"


def eventually(true: Callable[[], bool], said: Callable[[], str]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, said()
        time.sleep(0.1)


@dataclass
class Member:
    """`modelwright join` as a process group of its own, as a pod is."""

    head: str
    environment: dict[str, str]
    log_file: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "modelwright", "join", f"--http_port={self.port}"],
                cwd=ROOT, env={**os.environ, **self.environment, "RAY_ADDRESS": self.head, "WHERE": "worker"},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def ready(self) -> int:
        """The status that the kubelet would see, 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return 0

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@dataclass
class Cluster:
    environment: dict[str, str]
    server: Server | None = None
    member: Member | None = None

    @property
    def address(self) -> str:
        return self.member.head

    def wheres(self) -> set[str]:
        """The nodes of the replicas by which several calls at one time are answered."""
        found: list[str] = []

        def ask() -> None:
            answer = self.server.predict(wait=0.3)
            assert answer.status == 200, answer.body
            found.append(where(answer.json["pid"]))

        callers = [threading.Thread(target=ask) for _ in range(6)]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
        return set(found)


def where(pid: int) -> str:
    lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next((line.removeprefix(b"WHERE=").decode() for line in lines if line.startswith(b"WHERE=")), "")


def head(folder: Path, gcs: int, port: int, shared: dict[str, str]) -> Server:
    """The server, once its Ray has started, which it gives up on a machine that is too busy."""
    for _ in range(STARTS):
        server = Server(
            folder, "--replicas=2", f"--http_port={port}",
            **shared, RAY_ADDRESS="local", RAY_GCS_SERVER_PORT=str(gcs), RAY_NODE_COUNT="2", WHERE="head",
        )  # fmt: skip
        eventually(lambda s=server: STARTED in s.log or "did not load" in s.log, lambda s=server: s.log)
        if STARTED in server.log:
            return server
        server.kill()
    raise AssertionError(server.log)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("nodes")
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    # Sockets are in it, whose paths may have 107 characters.
    short = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    gcs, port = free_port(), free_port()
    shared = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'runtimes'}",
        "RAY_TMPDIR": short,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Under `uv run`, which these tests may be, Ray would make an environment for each of its workers.
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }
    # This machine's address as Ray finds it, not the loopback's.
    ip = subprocess.run(
        [sys.executable, "-c", "import ray; print(ray.util.get_node_ip_address())"],
        capture_output=True, text=True, check=True, env={**os.environ, **shared},
    ).stdout.strip()  # fmt: skip
    head_url = f"http://127.0.0.1:{port}/v2/models/sum/ready"
    made = Cluster(shared)
    try:
        made.server = head(folder, gcs, port, shared)
        made.member = Member(f"{ip}:{gcs}", {**shared, "MODELWRIGHT_HEAD_URL": head_url}, folder / "member.log")
        eventually(lambda: "serving sum" in made.server.log, lambda: made.server.log + made.member.log)
        made.server.wait_until_serving()
        yield made
        # The server may still need the node to finish its requests: as a pod that is told to end, it waits for that.
        made.member.process.terminate()
        assert made.server.stop(PATIENCE) == 0, made.server.log
        assert made.member.process.wait(PATIENCE) == 0, made.member.log
    finally:
        for each in (made.member, made.server):
            if each is not None:
                each.kill()
        shutil.rmtree(short, ignore_errors=True)


def test_replicas_wait_for_every_node_and_spread_over_them(cluster: Cluster) -> None:
    assert "Ray has all of its 2 nodes" in cluster.server.log
    assert cluster.wheres() == {"head", "worker"}


def test_the_other_node_is_ready_once_the_server_is(cluster: Cluster) -> None:
    eventually(lambda: cluster.member.ready() == 200, lambda: cluster.member.log)


@pytest.mark.parametrize("token", [None, "0" * 64], ids=["none", "another"])
def test_who_has_not_the_token_is_refused(cluster: Cluster, token: str | None) -> None:
    environment = {name: value for name, value in cluster.environment.items() if not name.startswith("RAY_AUTH")}
    if token:
        environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    program = f"import ray; ray.init({cluster.address!r}); print('connected')"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert "connected" not in done.stdout
    assert "InvalidAuthToken" in done.stderr


def test_a_node_with_another_token_says_so(cluster: Cluster, tmp_path: Path) -> None:
    wrong = {**cluster.environment, "RAY_AUTH_TOKEN": "0" * 64}
    stranger = Member(cluster.address, wrong, tmp_path / "stranger.log")
    try:
        eventually(lambda: "Ray does not take this node" in stranger.log, lambda: stranger.log)
        assert "InvalidAuthToken" in stranger.log
        assert stranger.ready() == 503
    finally:
        stranger.kill()


def test_what_the_nodes_have_not_is_refused_at_start(cluster: Cluster, tmp_path: Path) -> None:
    program = (
        "import os, ray; ray.init(os.environ['HEAD'], configure_logging=False)\n"
        "from modelwright.scale import cluster; cluster._OWN.set(); cluster.check('2 replicas', {'GPU': 2})"
    )
    environment = {**cluster.environment, "HEAD": cluster.address, "RAY_NODE_COUNT": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    told = "2 replicas ask for 2 GPU in all and the 2 nodes have 0: ask for fewer or less, or give predictor.workerSpec"
    assert told in done.stderr


def test_a_node_without_a_head_waits_for_it_and_is_not_ready(cluster: Cluster, tmp_path: Path) -> None:
    early = Member(f"127.0.0.1:{free_port()}", cluster.environment, tmp_path / "early.log")
    try:
        eventually(lambda: "waiting for the head of Ray at 127.0.0.1" in early.log, lambda: early.log)
        assert early.ready() == 503
        early.process.terminate()
        assert early.process.wait(PATIENCE) == 0, early.log
    finally:
        early.kill()


def test_a_node_that_is_told_to_end_stays_for_as_long_as_the_head(cluster: Cluster, tmp_path: Path) -> None:
    third = Member(cluster.address, cluster.environment, tmp_path / "third.log")
    eventually(lambda: "joined the Ray" in third.log, lambda: third.log)
    third.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        third.process.wait(3)
    third.process.terminate()
    assert third.process.wait(PATIENCE) == 0, third.log


def test_calls_survive_the_loss_of_a_node_and_its_successor_joins(cluster: Cluster, tmp_path: Path) -> None:
    cluster.member.kill()
    assert cluster.server.predict().status == 200
    eventually(lambda: cluster.wheres() == {"head"}, lambda: cluster.server.log)
    cluster.member = Member(cluster.address, cluster.member.environment, tmp_path / "successor.log")
    eventually(lambda: cluster.member.ready() == 200, lambda: cluster.member.log)
    assert cluster.server.predict().status == 200
