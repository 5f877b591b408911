"""The genuine mlserver and ours, each in a process, serving the same folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.serving.peers import PEERS
from tests.conformance.grpc_process import free_port
from tests.conformance.server_process import ROOT, Reply, Server

MODELS = Path(__file__).with_name("mlserver_models.py")
START_S = 120
SETTINGS: dict[str, dict[str, object]] = {
    "Declared": {
        "platform": "numpy",
        "versions": ["numpy/2"],
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [4], "parameters": {"content_type": "np"}}],
        "parameters": {"version": "v3"},
    },
    "Sum": {"parameters": {"version": "1", "extra": {"any": 1}}},
}


def repository(folder: Path, *classes: str) -> Path:
    """Write a model repository with a folder for each class, each with the same `models.py`."""
    for each in classes:
        model = folder / each.lower()
        model.mkdir()
        shutil.copy(MODELS, model / "models.py")
        settings = {"name": each.lower(), "implementation": f"models.{each}", **SETTINGS.get(each, {})}
        (model / "model-settings.json").write_text(json.dumps(settings))
    return folder


@dataclass
class Running:
    """A server's process and ports."""

    process: subprocess.Popen[bytes]
    http: int
    grpc: int
    log: Path

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Reply:
        """Send one request; what is neither bytes nor None is sent as JSON."""
        return Server.ask(self, method, path, body, {"content-type": "application/json", **(headers or {})})  # type: ignore[arg-type]

    def connect(self, timeout: float = 30):
        return Server.connect(self, timeout, self.http)  # type: ignore[arg-type]

    def wait(self, path: str = "/v2/health/live") -> Running:
        """Wait until it answers."""
        until = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.ask("GET", path).status == 200:
                    return self
            except OSError:
                pass
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def ours(target: Path | str, folder: Path, *flags: str, **environment: str) -> Running:
    """Start our server of an MLServer author's files; `folder` is for its log."""
    http, grpc = free_port(), free_port()
    log = folder / "ours.log"
    command = [sys.executable, "-m", "modelwright.cli.styled", "mlserver", str(target)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--http_port={http}", f"--grpc_port={grpc}", "--host=127.0.0.1", *flags],
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), **environment},
        )
    return Running(process, http, grpc, log)


def genuine(target: Path, folder: Path, **settings: object) -> Running:
    """Start the genuine server, without workers, which cannot stream."""
    peer = PEERS["mlserver"]
    peer.install()
    http, grpc = free_port(), free_port()
    ports = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": free_port()}
    own = {"parallel_workers": 0, "gzip_enabled": False, "debug": False, **ports, **settings}
    (target / "settings.json").write_text(json.dumps(own))
    log = folder / "genuine.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(peer.python().parent / "mlserver"), "start", str(target)],
            cwd=folder,
            stdout=output,
            stderr=output,
            env=peer.environment(),
        )
    return Running(process, http, grpc, log)


def genuine_library(folder: Path) -> dict[str, str]:
    """Return the environment in which our server finds the genuine mlserver, behind what it has itself."""
    packages = PEERS["mlserver"].folder() / "lib" / "python3.11" / "site-packages"
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(packages)!r})\n")
    return {"PYTHONPATH": f"{ROOT / 'runtimes'}:{folder}"}
