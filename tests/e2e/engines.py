"""The verbs that make images, run as an author runs them, on a machine with every engine that can be had here."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from buildpacks import engine as development
from tests.e2e.kubectl import until

MODEL = """
from kserve import Model, ModelServer


class Length(Model):
    def load(self):
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [len(each) for each in payload["instances"]]}


if __name__ == "__main__":
    ModelServer().start([Length("length")])
"""
# bcrypt of `wonderland`, the only form that the registry takes.
WONDERLAND = "$2b$04$T2clBPZjbBZZPFjpYI4OpudtSzbT3abSmlRNjjcdDadks658NrQ7C"
# What each needs that this machine, Debian's packages, PyPI and the Go proxy do not have; the syntax of a Dockerfile
# for the first two is checked by rules, in tests/unit/images/test_dockerfile.py.
NOT_HERE = {
    "buildkit": "docker's buildx is no package of Debian 12's",
    "kaniko": "it is published as an image only",
    "podman run": "it raises its containers' limit of open files, which a machine without CAP_SYS_RESOURCE refuses",
}


@dataclass(frozen=True)
class Author:
    """Somebody with a folder, an image's name, and one engine; `environment` is their shell's.

    Who has no daemon (`daemon`) builds with the lifecycle in buildah.
    """

    engine: str
    folder: Path
    image: str
    builder: str
    bases: tuple[str, str]
    wheel: Path
    environment: dict[str, str]
    daemon: bool = True

    def build(self) -> subprocess.CompletedProcess[str]:
        words = ["build", str(self.folder), "-t", self.image, "--push", "--engine", self.engine]
        if self.engine in ("docker", "buildah"):
            words += ["--base", self.bases[0], "--build-base", self.bases[1], "--wheel", str(self.wheel)]
        else:
            words += ["--builder", self.builder]
        without = {} if self.daemon else {"DOCKER_HOST": f"unix://{self.folder}/none.sock"}
        return replace(self, environment={**self.environment, **without}).modelwright(*words)

    def modelwright(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "modelwright", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=900, check=False, env=self.environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip


def shell(pack: Path, home: Path) -> dict[str, str]:
    """The environment of a shell that finds every engine; caches and logs below `home`."""
    found = {**os.environ, **development.environment(), "XDG_CACHE_HOME": str(home)}
    return {**found, "PATH": f"{pack}{os.pathsep}{os.environ['PATH']}", "MODELWRIGHT_BUILDER": ""}


def write_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(MODEL)
    (folder / "requirements.txt").write_text("# nothing but the server\n")
    (folder / "input.json").write_text('{"instances": [[1, 2, 3], []]}')
    (folder / "weights.npz").write_bytes(b"\0" * (1 << 20))
    return folder


@contextmanager
def running(author: Author) -> Iterator[str]:
    """The image's container by `modelwright run`, as a stranger's UID; its address."""
    docker = ("docker", "pull", "--quiet", author.image)
    subprocess.run(docker, check=True, capture_output=True, env=author.environment)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["run", author.image, "--network", "host", "--user", "54321:0", "-e", "A=b", "--"]
    words += [f"--http_port={port}", "--enable_grpc=false"]
    log = author.folder.parent / f"{author.engine}.run.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "modelwright", *words]
        client = subprocess.Popen(
            command, env=author.environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        try:
            address = f"http://127.0.0.1:{port}"
            until(
                lambda: _ready(address) or client.poll() is not None, 180, lambda: f"not ready:\n{log.read_text()}"
            )  # fmt: skip
            assert client.poll() is None, log.read_text()
            yield address
        finally:
            client.terminate()
            client.wait(60)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/v2/health/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def private_registry(folder: Path) -> Iterator[str]:
    """A registry that wants a login; its host. The login is written where `docker login` writes it, in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(f"alice:{WONDERLAND}\n")
    config = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "http": {"addr": host},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}},
    }
    (folder / "registry.json").write_text(json.dumps(config))
    program = next(name for name in ("docker-registry", "registry") if shutil.which(name))
    with (folder / "registry.log").open("w") as log:
        server = subprocess.Popen([program, "serve", str(folder / "registry.json")], stdout=log, stderr=log)
        try:
            until(lambda: _listens(host), 60, (folder / "registry.log").read_text)
            login = base64.b64encode(b"alice:wonderland").decode()
            (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
            yield host
        finally:
            server.terminate()
            server.wait(60)


def _listens(host: str) -> bool:
    name, _, port = host.partition(":")
    with socket.socket() as channel:
        return channel.connect_ex((name, int(port))) == 0


def predict(address: str) -> Any:
    url = f"{address}/v1/models/length:predict"
    with urllib.request.urlopen(url, b'{"instances": [[1, 2, 3], []]}', timeout=30) as answer:
        return json.loads(answer.read())


def digest_of(done: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"pushed, (sha256:[0-9a-f]{64})", done.stdout)
    assert found, f"{done.stdout}{done.stderr}"
    return found[1]
