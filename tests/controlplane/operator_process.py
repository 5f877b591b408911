"""The operator as a process of its own, with the rights that the chart gives it and no others."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from cluster import binaries

ROOT = Path(__file__).parents[2]
NAMESPACE = "modelwright-system"
ACCOUNT = "modelwright-operator"


def install_rights(kubeconfig: Path, *values: str, namespace: str = NAMESPACE) -> None:
    """Create the operator's ServiceAccount and roles as the chart renders them."""
    tools = binaries.ensure("helm", "kubectl")
    command = [tools / "helm", "template", "modelwright", ROOT / "charts" / "modelwright", f"--namespace={namespace}"]
    command += ["--show-only=templates/rbac.yaml", "--show-only=templates/serviceaccount.yaml"]
    for value in values:
        command += ["--set", value]
    manifests = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kubectl = [tools / "kubectl", f"--kubeconfig={kubeconfig}"]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", "-"]
    subprocess.run(apply, input=manifests, capture_output=True, text=True, check=True)


def account_kubeconfig(kubeconfig: Path, folder: Path, *, namespace: str = NAMESPACE) -> Path:
    """Write a kubeconfig that logs in as the operator's ServiceAccount, by a token in a file as in a pod."""
    kubectl = binaries.ensure("kubectl") / "kubectl"
    command = [kubectl, f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", "create", "token", ACCOUNT]
    token = subprocess.run([*command, "--duration=2h"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "token").write_text(token)
    view = [kubectl, f"--kubeconfig={kubeconfig}", "config", "view", "--raw", "--minify", "--flatten", "--output=json"]
    config: dict[str, Any] = yaml.safe_load(subprocess.run(view, capture_output=True, text=True, check=True).stdout)
    config["users"][0]["user"] = {"tokenFile": "token"}
    config["contexts"][0]["context"]["namespace"] = namespace
    path = folder / "operator.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


class OperatorProcess:
    """`python -m modelwright_operator`, its log in a file."""

    def __init__(self, kubeconfig: Path, log: Path, *arguments: str, **settings: str) -> None:
        self.log_file = log
        self._port = _free_port()
        self._arguments = arguments
        self._environment = {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(kubeconfig),
            "MODELWRIGHT_HEALTH_PORT": str(self._port),
            "PYTHONPATH": str(ROOT / "operator"),
            **{f"MODELWRIGHT_{name}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def start(self, seconds: float = 30.0) -> None:
        """Start and wait until it is ready."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "modelwright_operator", *self._arguments], env=self._environment, stderr=log
            )
        deadline = time.monotonic() + seconds
        while not self.answers("readyz"):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def answers(self, probe: str) -> bool:
        """Say whether a probe answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{probe}", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> int:
        """End it as Kubernetes does and return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=20)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
