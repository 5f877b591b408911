"""The cluster's own API server, spoken to as its administrator."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from cluster.info import ClusterError

Manifest = dict[str, Any]
"""One Kubernetes object as it would stand in a YAML file."""


class KubectlError(ClusterError):
    """kubectl refused; the message is its own."""


class Administrator:
    """Applies manifests and asks for objects with the administrator's certificate."""

    def __init__(
        self, *, binary: Path, kubeconfig: Path, server: str, authority: Path, identity: tuple[Path, Path]
    ) -> None:
        self.binary = binary
        self.kubeconfig = kubeconfig
        self._server = server
        self._authority = authority
        self._identity = identity

    def ready(self) -> bool:
        """Say whether the API server is up and has finished its start-up hooks."""
        return self.get("/readyz") is not None

    def get(self, path: str) -> bytes | None:
        """Return the body of a GET, None where there is no answer or an error."""
        try:
            context = ssl.create_default_context(cafile=str(self._authority))
            context.load_cert_chain(*map(str, self._identity))
            # The default proxies of urllib must not come between this machine and itself.
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with opener.open(f"{self._server}{path}", timeout=5) as answer:
                return bytes(answer.read())
        except (OSError, urllib.error.URLError, ssl.SSLError):
            return None

    def object(self, path: str) -> Manifest | None:
        """Return the object at an API path, None where there is none."""
        body = self.get(path)
        return json.loads(body) if body is not None else None

    def apply(self, manifests: str) -> None:
        """Apply a stream of YAML or JSON server-side; raises `KubectlError` with what kubectl said."""
        self.run(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=modelwright-cluster",
            "-f",
            "-",
            stdin=manifests,
        )

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output; raises `KubectlError` with what it said."""
        # Its discovery cache belongs to the state folder: nothing is left in ~/.kube.
        fixed = (f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig.parent / 'kubectl-cache'}")
        result = subprocess.run(
            [str(self.binary), *fixed, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if result.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout
