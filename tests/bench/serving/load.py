"""Load on a server, from the core that no server has: single requests, wrk, and the gRPC generator."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.serving.bodies import SMALL, Body
from tests.bench.serving.peers import ROOT, V2

LOAD_CORE = 1
INSTALL = "wrk is missing: run 'sudo apt-get install -y wrk', then this again."

_SCRIPT = """
wrk.method = "POST"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
{headers}
{delay}
function done(summary, latency, requests)
  io.write(string.format('\\nFOUND {{"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p99": %f}}\\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True)
class Found:
    """What a load generator saw; latencies in milliseconds."""

    rps: float
    p50: float
    p99: float
    failed: int = 0
    requests: int = 0
    busy: float = 0.0  # share of its core that the gRPC generator used; near 1 it is what was measured


def require_wrk() -> None:
    """Raise SystemExit with the remedy where wrk or taskset is missing."""
    if not shutil.which("wrk"):
        raise SystemExit(INSTALL)


def send(port: int, path: str, body: Body, timeout: float = 30.0) -> tuple[int, bytes]:
    """Send one POST; return the answer's status and body, or 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST", path, body.content, body.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def wrk(port: int, path: str, body: Body, connections: int, seconds: float, pause: float = 0.0) -> Found:
    """Load a path with `connections` at a time for some seconds; each rests `pause` ms on average between requests."""
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as name:
        content, script = Path(name) / "body", Path(name) / "load.lua"
        content.write_bytes(body.content)
        headers = "\n".join(f'wrk.headers["{key}"] = "{value}"' for key, value in body.headers.items())
        # wrk rests whole milliseconds only.
        delay = f"function delay() return math.floor({pause} + math.random()) end" if pause else ""
        script.write_text(_SCRIPT.format(body=content, headers=headers, delay=delay))
        command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["--timeout", "30s", "-s", str(script), f"http://127.0.0.1:{port}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    if not lines:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    seen = json.loads(lines[0].removeprefix("FOUND "))
    rps = seen["requests"] / seen["seconds"]
    return Found(rps, seen["p50"], seen["p99"], int(seen["failed"]), int(seen["requests"]))


def grpc(port: int, size: str, concurrency: int, seconds: float) -> Found:
    """Load ModelInfer from a process of its own."""
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "tests.bench.serving.grpc_load"]
    command += [str(port), size, str(concurrency), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode:
        raise RuntimeError(f"gRPC: {done.stderr.strip()[-600:]}")
    return Found(**json.loads(done.stdout))


def health(port: int, predicts: int = 3) -> Found:
    """Ask /v2/health/live every 5 ms while some predictions are under way."""
    statuses: list[int] = []
    work = [threading.Thread(target=lambda: statuses.append(send(port, V2, SMALL)[0])) for _ in range(predicts)]
    for each in work:
        each.start()
    time.sleep(0.1)
    taken = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    begun = time.monotonic()
    while any(each.is_alive() for each in work):
        asked = time.monotonic()
        connection.request("GET", "/v2/health/live")
        answer = connection.getresponse()
        answer.read()
        taken.append((time.monotonic() - asked) * 1000)
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    connection.close()
    return Found(len(taken) / seconds, *percentiles(taken), failed=sum(status != 200 for status in statuses))


def percentiles(values: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
