"""What tests do with an S3 server beside reading it: buckets are made and files put there, as its owner would."""

from __future__ import annotations

import hashlib
import hmac
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime

from obstore.store import S3Store

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
