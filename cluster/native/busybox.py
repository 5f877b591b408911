"""The one image that the node itself needs: busybox, for pod sandboxes and for small helpers.

It is put together here, from the host's static busybox, because no public registry may be in reach.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = "modelwright/busybox"
TAG = "1"

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EPOCH = "1970-01-01T00:00:00Z"

# Ends at once on SIGTERM and adopts orphans, which is all that a pod's sandbox has to do.
_PAUSE = ("/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done")


@dataclass(frozen=True, slots=True)
class Image:
    """An image of one layer, ready to be pushed."""

    manifest: bytes
    blobs: tuple[bytes, ...]


def reference(registry: str) -> str:
    """Return the image's name in the registry."""
    return f"{registry}/{REPOSITORY}:{TAG}"


def build() -> Image:
    """Make the image from the busybox on PATH; raises FileNotFoundError with the remedy when there is none."""
    found = shutil.which("busybox")
    if found is None:
        raise FileNotFoundError("no busybox here: apt-get install busybox-static")
    applets = subprocess.run([found, "--list"], capture_output=True, text=True, check=True).stdout.split()
    return assemble(Path(found).read_bytes(), applets, architecture())


def assemble(busybox: bytes, applets: Sequence[str], cpu: str) -> Image:
    """Return the image with the program and a link for each applet; the same input gives the same digests."""
    tar = _layer(busybox, applets)
    layer = gzip.compress(tar, compresslevel=6, mtime=0)
    config = _json(
        {
            "created": _EPOCH,
            "architecture": cpu,
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": _PAUSE, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
            "history": [{"created": _EPOCH, "created_by": "modelwright cluster"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": _LAYER, "digest": digest(layer), "size": len(layer)}],
        }
    )
    return Image(manifest, (layer, config))


def push(image: Image, registry: str) -> None:
    """Push the image unless the registry has it already; raises urllib's HTTPError when the registry refuses."""
    base = f"http://{registry}/v2/{REPOSITORY}"
    for blob in image.blobs:
        if not _exists(f"{base}/blobs/{digest(blob)}"):
            location = _send("POST", f"{base}/blobs/uploads/", b"", "application/octet-stream")
            joined = f"{location}{'&' if '?' in location else '?'}digest={digest(blob)}"
            _send("PUT", joined, blob, "application/octet-stream")
    if not _exists(f"{base}/manifests/{digest(image.manifest)}"):
        _send("PUT", f"{base}/manifests/{TAG}", image.manifest, _MANIFEST)


def digest(content: bytes) -> str:
    """Return the content's digest as OCI writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def architecture() -> str:
    """Return this machine's processor as OCI calls it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _layer(busybox: bytes, applets: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        for name, content, mode in (
            ("bin/busybox", busybox, 0o755),
            ("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", 0o644),
            ("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644),
        ):
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(content), mode
            tar.addfile(file, io.BytesIO(content))
        for applet in sorted(set(applets) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


def _json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _open(request: urllib.request.Request) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return int(answer.status), str(answer.headers.get("Location", ""))


def _exists(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD", headers={"Accept": _MANIFEST})  # noqa: S310 - always http
    try:
        return _open(request)[0] == 200
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise


def _send(method: str, url: str, body: bytes, media_type: str) -> str:
    headers = {"Content-Type": media_type}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310 - always http
    return _open(request)[1]
