"""MLServer's side: the Dockerfile that `mlserver dockerfile` of an MLServer from PyPI writes, by Docker.

Its own base images come from Docker Hub alone, so that its steps stand on ours, with MLServer and what its
`build-env.sh` needs installed into it; the stage that makes conda's environments is left out, since the example has
none of these. Both favour MLServer: its own base is larger than ours, and conda's stage slows its first build.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from modelwright.images.order import CERTIFICATES

from buildpacks import engine
from buildpacks.builder.base import ensure
from buildpacks.command import stream
from cluster.paths import cache_folder
from tests.bench.images.step import Figures, change, copy, sizes, timed

ROOT = Path(__file__).parents[3]
MLSERVER = "mlserver==1.7.1"
BASE = """FROM {base}
USER root
COPY ca-certificates.crt /etc/ssl/certs/
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
RUN uv venv --quiet --seed /opt/mlserver \\
 && VIRTUAL_ENV=/opt/mlserver uv pip install --quiet {mlserver} && uv cache clean
WORKDIR /opt/mlserver
COPY build-env.sh hack/
RUN chmod +x hack/build-env.sh && mkdir -p /mnt/models && chown -R 1000:0 /opt/mlserver
ENV PATH=/opt/mlserver/bin:$PATH MLSERVER_MODELS_DIR=/mnt/models
USER 1000
"""
BUILD_ENV = """#!/bin/sh
set -e
[ ! -f requirements.txt ] || pip install --no-cache-dir -r requirements.txt
"""


def measure(repeat: int) -> Figures:
    """Build the example with its Dockerfile, changed and unchanged, and push it."""
    command = _installed()
    image = f"{engine.registry()}/modelwright-bench/{secrets.token_hex(4)}:mlserver"
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as scratch:
        base = _base(Path(scratch))
        folder = copy(Path(scratch) / "app")
        inside: list[float] = []

        def once(*, cached: bool = True) -> None:
            # As `mlserver build` does: the Dockerfile is written anew, then Docker builds it.
            subprocess.run([command, "dockerfile", "."], cwd=folder, check=True, capture_output=True)
            dockerfile = folder / "Dockerfile"
            dockerfile.write_text(_on(base, dockerfile.read_text(encoding="utf-8")), encoding="utf-8")
            began = time.monotonic()
            options = [] if cached else ["--no-cache"]
            _docker("build", "--quiet", "--network", "host", *options, "--tag", image, str(folder))
            _docker("push", "--quiet", image)
            inside.append(time.monotonic() - began)

        first = timed("MLServer: first build", lambda: once(cached=False))
        code = []
        for number in range(repeat):
            change(folder, number)
            code.append(timed(f"MLServer: change of code {number + 1} of {repeat}", once))
        nothing = timed("MLServer: no change", once)
        return Figures(first, code, nothing, *sizes(image), [], inside[1:-1])


def _on(base: str, dockerfile: str) -> str:
    """Put the last stage on our base, and leave the conda stage and what is copied from it out."""
    last = dockerfile[dockerfile.rindex("\nFROM ") :]
    last = re.sub(r"\nFROM .*", f"\nFROM {base}", last, count=1)
    last = re.sub(r"COPY \\\n[^\n]*\\\n\s*--from=env-builder(?:[^\n]*\\\n)*[^\n]*\n", "", last)
    # Docker without BuildKit wants a folder to be written as one.
    return re.sub(r"(requirements\.tx\[t\] \\\n\s*)\.\n", r"\1./\n", last)


def _base(scratch: Path) -> str:
    context = scratch / "base"
    context.mkdir()
    # For networks that sign TLS with a CA of their own; our side's builds get it mounted.
    shutil.copy2(os.environ.get("SSL_CERT_FILE", CERTIFICATES), context / "ca-certificates.crt")
    (context / "build-env.sh").write_text(BUILD_ENV, encoding="utf-8")
    (context / "Dockerfile").write_text(BASE.format(base=ensure().build, mlserver=MLSERVER), encoding="utf-8")
    name = "modelwright-bench/mlserver-base"
    _docker("build", "--quiet", "--network", "host", "--tag", name, str(context))
    return name


def _installed() -> Path:
    """Install MLServer from PyPI into an environment of its own, kept for the next run."""
    folder = cache_folder() / "bench" / f"images-{MLSERVER.replace('==', '-')}"
    if not (folder / "bin" / "mlserver").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        uv = str(ROOT / "scripts" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", "3.11", str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(folder), MLSERVER], check=True)
    return folder / "bin" / "mlserver"


def _docker(*words: str) -> None:
    stream(["docker", *words], environment=engine.environment())
