"""The Gateway API's CRDs, of the very version that the ingress controller is compiled against."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from cluster.binaries import BuildError, environment
from cluster.golang import find_go
from cluster.paths import cache_folder, modules_folder
from cluster.tools import go_version, select

_MODULE = "sigs.k8s.io/gateway-api"


def gateway_crds() -> Path:
    """Return one file with all CRDs of the standard channel, fetched by Go from the module once.

    Raises BuildError with Go's words when the module cannot be downloaded.
    """
    target = cache_folder() / "gateway-api" / f"standard-{_version()}.yaml"
    if not target.exists():
        folder = _downloaded() / "config" / "crd" / "standard"
        crds = [path.read_text() for path in sorted(folder.glob("gateway.networking.k8s.io_*.yaml"))]
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        fresh.write_text("\n---\n".join(crds))
        fresh.replace(target)
    return target


def _version() -> str:
    text = (modules_folder() / "traefik" / "go.mod").read_text()
    found = re.search(rf"^\s+{re.escape(_MODULE)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise BuildError(f"cluster/modules/traefik/go.mod does not require {_MODULE}")
    return found.group(1)


def _downloaded() -> Path:
    """Return the module's folder in Go's module cache."""
    go = find_go(go_version(select(["traefik"])))
    result = subprocess.run(
        [str(go), "mod", "download", "-json", _MODULE],
        cwd=modules_folder() / "traefik",
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(f"{_MODULE} could not be downloaded: {result.stderr or result.stdout}")
    return Path(str(json.loads(result.stdout)["Dir"]))
