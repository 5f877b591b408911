"""Folders as sources of ModelImages: pushed to the registry, or served by git over HTTP, where pods reach them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from wsgiref.simple_server import WSGIRequestHandler, make_server

from dulwich import porcelain
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from cluster.packages import require

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def push(registry: str, repository: str, tag: str, folder: Path) -> str:
    """Push a folder as one layer of an artifact; return the artifact by digest."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as plain, tarfile.open(fileobj=plain, mode="w") as tar:
        tar.add(folder, arcname=".")
    layer = _blob(registry, repository, packed.getvalue(), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = _blob(registry, repository, b"{}", "application/vnd.oci.empty.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    body = json.dumps(manifest).encode()
    _send("PUT", f"http://{registry}/v2/{repository}/manifests/{tag}", body, MANIFEST)
    return f"{registry}/{repository}@sha256:{hashlib.sha256(body).hexdigest()}"


def exists(registry: str, repository: str, reference: str) -> bool:
    request = urllib.request.Request(
        f"http://{registry}/v2/{repository}/manifests/{reference}", headers={"Accept": f"{MANIFEST}, */*"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def _blob(registry: str, repository: str, data: bytes, kind: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    base = f"http://{registry}"
    place = urljoin(base, _send("POST", f"{base}/v2/{repository}/blobs/uploads/", b"", "").headers["Location"])
    _send("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data, "application/octet-stream")
    return {"mediaType": kind, "digest": digest, "size": len(data)}


def _send(method: str, url: str, body: bytes, kind: str) -> Any:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": kind} if kind else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
        return answer


class GitRepository:
    """A repository with a folder in it, and who serves it."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url

    @classmethod
    def made(cls, path: Path) -> GitRepository:
        """A new repository that nobody serves yet."""
        Repo.init(str(path), mkdir=True, default_branch=b"main").close()
        return cls(path, "")

    def submodule(self, path: str, commit: str) -> None:
        """Stage a submodule at a commit, as `git submodule add` does beside cloning it."""
        require("git")
        entry = f"160000,{commit},{path}"
        subprocess.run(["git", "-C", str(self.path), "update-index", "--add", "--cacheinfo", entry], check=True)

    def commit(self, message: str) -> str:
        """Commit everything; return the commit."""
        files = [str(each) for each in self.path.rglob("*") if each.is_file() and ".git" not in each.parts]
        porcelain.add(str(self.path), files)
        author = b"Test <test@example.com>"
        return porcelain.commit(str(self.path), message=message.encode(), author=author, committer=author).decode()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(path: Path, address: str) -> Iterator[GitRepository]:
    """Serve a new repository at `path` by git's smart protocol on an address of this machine."""
    repository = Repo.init(str(path), mkdir=True, default_branch=b"main")
    backend = DictBackend({"/models.git": repository})
    server = make_server(address, 0, make_wsgi_chain(backend), handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield GitRepository(path, f"http://{address}:{server.server_port}/models.git")
    server.shutdown()
    thread.join()
    server.server_close()
    repository.close()
