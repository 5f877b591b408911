"""The storage initializer against a real S3 server, without a cluster: what pods see is in test_storage.py."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from tests.e2e.s3 import S3, running

ROOT = Path(__file__).parents[2]
BIG = 200_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with running(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(scope="module")
def bucket(server: S3) -> str:
    server.put("/models")
    store = server.store("models")
    obstore.put(store, "iris/v1/weights.npz", b"weights")
    obstore.put(store, "iris/v1/sub/labels with spaces+plus.txt", b"labels")
    obstore.put(store, "iris/v1/empty", b"")
    server.put("/models/iris/v1/folder/")
    obstore.put(store, "iris/v10/other.npz", b"other")
    obstore.put(store, "big/weights.bin", random.Random(1).randbytes(BIG))
    return "models"


def start(uri: str, target: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "modelwright.weights", uri, str(target)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "runtimes"), "HOME": "/nonexistent", **env},
        stderr=subprocess.PIPE,
        text=True,
    )


def run(uri: str, target: Path, env: dict[str, str]) -> tuple[int, str]:
    process = start(uri, target, env)
    _, log = process.communicate(timeout=120)
    return process.returncode, log


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".modelwright.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def written(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("path", ["iris/v1", "iris/v1/"])
def test_a_prefix_arrives_as_kserve_lays_it_out(server: S3, bucket: str, tmp_path: Path, path: str) -> None:
    status, log = run(f"s3://{bucket}/{path}", tmp_path, server.env)
    assert status == 0, log
    labels = "sub/labels with spaces+plus.txt"
    assert tree(tmp_path) == {"weights.npz": b"weights", labels: b"labels", "empty": b""}


def test_a_single_object_arrives_under_its_base_name(server: S3, bucket: str, tmp_path: Path) -> None:
    status, log = run(f"s3://{bucket}/iris/v1/weights.npz", tmp_path, server.env)
    assert status == 0, log
    assert tree(tmp_path) == {"weights.npz": b"weights"}


def test_the_endpoint_by_kserves_older_names(server: S3, bucket: str, tmp_path: Path) -> None:
    env = {**server.env, "S3_ENDPOINT": server.endpoint.removeprefix("http://"), "S3_USE_HTTPS": "0"}
    del env["AWS_ENDPOINT_URL"]
    status, log = run(f"s3://{bucket}/iris/v10", tmp_path, env)
    assert status == 0, log
    assert tree(tmp_path) == {"other.npz": b"other"}


def test_a_killed_download_is_continued_and_memory_stays_small(server: S3, bucket: str, tmp_path: Path) -> None:
    first = start(f"s3://{bucket}/big", tmp_path, {**server.env, "S3_MAX_FILE_CONCURRENCY": "1"})
    journal = tmp_path / ".modelwright-partial" / "journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.read_text()) and time.monotonic() < deadline:
        time.sleep(0.001)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    finished = journal.read_text().count("\n")
    assert 0 < finished < 3
    assert not (tmp_path / "weights.bin").exists()
    second = start(f"s3://{bucket}/big", tmp_path, server.env)
    peak = 0
    while second.poll() is None:
        peak = max(peak, memory_peak(second.pid))
        time.sleep(0.005)
    assert second.returncode == 0, second.communicate()
    digest = hashlib.sha256((tmp_path / "weights.bin").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(random.Random(1).randbytes(BIG)).hexdigest()
    assert 0 < peak < 150 * 1024


def memory_peak(pid: int) -> int:
    """Return the most memory that the process had so far, in KiB; 0 when it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def test_a_second_run_fetches_nothing(server: S3, bucket: str, tmp_path: Path) -> None:
    run(f"s3://{bucket}/iris/v1", tmp_path, server.env)
    before = written(tmp_path)
    status, log = run(f"s3://{bucket}/iris/v1", tmp_path, server.env)
    assert (status, "3 files already in" in log) == (0, True)
    assert written(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("no-such-bucket/x", {}, "the bucket 'no-such-bucket' does not exist"),
        ("models/no/such/prefix", {}, "there is no object under the prefix 'no/such/prefix'"),
        ("models/iris", {"AWS_SECRET_ACCESS_KEY": "wrong-s3cret"}, "the secret key does not fit the access key"),
        ("models/iris", {"AWS_ACCESS_KEY_ID": "nobody"}, "No user exists with the provided access key"),
        ("models/iris", {"awsAnonymousCredential": "true"}, "access to the bucket 'models' is denied"),
        ("models/iris", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "127.0.0.1:1 refuses the connection"),
        ("models/iris", {"AWS_ENDPOINT_URL": "http://no.such.host.invalid"}, "no.such.host.invalid has no address"),
        ("models/iris", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials were given"),
    ],
)
def test_a_failure_is_told_within_seconds_and_shows_no_secret(
    server: S3, bucket: str, tmp_path: Path, path: str, change: dict[str, str], told: str
) -> None:
    started = time.monotonic()
    status, log = run(f"s3://{path}", tmp_path, {**server.env, **change})
    assert status == 1
    assert told in log
    assert server.secret not in log
    assert "wrong-s3cret" not in log
    assert time.monotonic() - started < 15
    assert tree(tmp_path) == {}
