"""The registry at localhost:5000, and at the node's address, by which pods reach it."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cluster.native.ports import answers, is_free
from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import BringUpError, Report, until

PORT = 5000
ADDRESS = f"localhost:{PORT}"


@dataclass(frozen=True, slots=True)
class Registry:
    """Debian's docker-registry with its data in the state folder; manifests may be deleted."""

    state: Path

    def up(self, supervisor: Supervisor, report: Report) -> None:
        """Start the registry and return when it answers.

        Raises `BringUpError` when another program has the port: images are named by it, so it cannot move.
        """
        if supervisor.running("registry") is None and not is_free(PORT):
            raise BringUpError(
                f"port {PORT} is in use by another program, and image names say {ADDRESS}: stop it (`ss -ltnp`)"
            )
        config = self._write("registry.json", "127.0.0.1")
        if supervisor.ensure(Command(name="registry", argv=(_program(), "serve", str(config)), inputs=(config,))):
            report(f"registry started on {ADDRESS}")
        until("the registry", _answers, report=report, supervisor=supervisor, needs=("registry",))

    def up_for_pods(self, address: str, supervisor: Supervisor, report: Report) -> None:
        """Start a second process on the same images, at the node's own address, which only this machine has."""
        name = "registry-for-pods"
        config = self._write("registry-for-pods.json", address)
        if supervisor.ensure(Command(name=name, argv=(_program(), "serve", str(config)), inputs=(config,))):
            report(f"registry started on {pod_address(address)} for pods")
        until(
            "the registry for pods", lambda: answers(address, PORT), report=report, supervisor=supervisor, needs=(name,)
        )

    def _write(self, name: str, address: str) -> Path:
        config = self.state / name
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(registry_config(self.state, address), indent=1), encoding="utf-8")
        return config


def pod_address(address: str) -> str:
    """Return the registry's name for pods on a node with this address."""
    return f"{address}:{PORT}"


def registry_config(state: Path, address: str = "127.0.0.1") -> dict[str, object]:
    """Return the registry's configuration."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(state / "registry")},
            "delete": {"enabled": True},
            "cache": {"blobdescriptor": "inmemory"},
        },
        "http": {"addr": f"{address}:{PORT}", "headers": {"X-Content-Type-Options": ["nosniff"]}},
    }


def _answers() -> bool:
    if not answers("127.0.0.1", PORT):
        return False
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{PORT}/v2/", timeout=2) as answer:
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def _program() -> str:
    """Return the registry's program, which is `registry` in upstream's releases."""
    return next((name for name in ("docker-registry", "registry") if shutil.which(name)), "docker-registry")
