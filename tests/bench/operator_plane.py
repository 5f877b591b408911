"""A control plane of the benchmark's own, and what its processes cost."""

from __future__ import annotations

import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.native import NativeProvider

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Plane:
    """A running kube-apiserver with etcd, controller-manager and scheduler."""

    kubeconfig: Path
    kubectl: list[str]
    folder: Path

    def writes(self) -> float:
        """Return how many requests only an operator makes: server-side applies and InferenceServices' status."""
        done = subprocess.run([*self.kubectl, "get", "--raw=/metrics"], capture_output=True, text=True, check=True)
        total = 0.0
        for line in done.stdout.splitlines():
            if line.startswith("apiserver_request_total{") and (
                'verb="APPLY"' in line or ('subresource="status"' in line and 'resource="inferenceservices"' in line)
            ):
                total += float(line.rsplit(" ", 1)[1])
        return total


@contextmanager
def plane() -> Iterator[Plane]:
    """Bring a control plane up and take it down again."""
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as name:
        provider = NativeProvider(state=Path(name) / "cluster")
        info = provider.up(control_plane=True)
        try:
            kubectl = [str(info.bin / "kubectl"), f"--kubeconfig={info.kubeconfig}"]
            scratch = Path(name) / "scratch"
            scratch.mkdir()
            yield Plane(info.kubeconfig, kubectl, scratch)
        finally:
            provider.down()


def resident_mb(pid: int) -> float:
    """Return a process's resident memory in megabytes (10**6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def answers(url: str) -> bool:
    """Say whether a URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
