"""What tests do with an S3 server beside reading it: buckets are made and files put there, as its owner would."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from obstore.store import S3Store

from cluster import binaries

START_S = 30
REGION = "us-east-1"


@dataclass(frozen=True)
class S3:
    """A real S3 server and the keys of its administrator."""

    endpoint: str
    access: str
    secret: str = field(repr=False)

    @property
    def env(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def put(self, path: str, query: str = "") -> None:
        """Send an empty PUT with Signature Version 4: buckets and directory markers, which obstore cannot make."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        host, payload = self.endpoint.removeprefix("http://"), hashlib.sha256(b"").hexdigest()
        headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": now}
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"PUT\n{path}\n{query}\n{lines}\n{';'.join(headers)}\n{payload}"
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={';'.join(headers)}, "
            f"Signature={signature}"
        )
        with urllib.request.urlopen(
            urllib.request.Request(self.endpoint + path, data=b"", headers=headers, method="PUT"), timeout=10
        ):
            pass

    def store(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            endpoint=self.endpoint,
            region=REGION,
            access_key_id=self.access,
            secret_access_key=self.secret,
            client_options={"allow_http": True},
        )


@contextmanager
def running(folder: Path) -> Iterator[S3]:
    """Run a server of one's own on a free port of the loopback, with its data in `folder`."""
    program = binaries.ensure("versitygw") / "versitygw"
    (folder / "data").mkdir()
    (folder / "metadata").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = S3(f"http://127.0.0.1:{port}", "access-key-id", secrets.token_hex(16))
    arguments = [f"--port=127.0.0.1:{port}", f"--region={REGION}", "--quiet", "posix"]
    process = subprocess.Popen(
        [program, *arguments, f"--sidecar={folder / 'metadata'}", folder / "data"],
        env={"ROOT_ACCESS_KEY": found.access, "ROOT_SECRET_KEY": found.secret, "PATH": os.environ["PATH"]},
    )
    try:
        until = time.monotonic() + START_S
        with socket.socket() as client:
            while client.connect_ex(("127.0.0.1", port)):
                assert process.poll() is None and time.monotonic() < until, "the S3 server does not listen"
                time.sleep(0.05)
        yield found
    finally:
        process.terminate()
        process.wait(10)
