"""Weights appear at /mnt/models from a claim, an S3 server and an HTTP server; a missing bucket is said and heals."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import obstore
import pytest

from cluster.provider import ClusterInfo
from demo import stack
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl
from tests.e2e.objects import IRIS, LAUNCHER, claim, filler, isvc, secret
from tests.e2e.s3 import S3

SETOSA = [5.1, 3.5, 1.4, 0.2]
FETCHED = {"predictions": [2]}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The iris weights with the classes in reverse, so that a prediction shows which file was loaded."""
    with np.load(ROOT / "runtimes/examples/01-iris/weights.npz") as original:
        reversed_ = {name: values[::-1] for name, values in original.items()}
    path = tmp_path / "weights.npz"
    np.savez(path, **reversed_)
    return path


UNPACK = """
import base64, pathlib, sys
folder = pathlib.Path('/data/iris')
folder.mkdir()
(folder / 'weights.npz').write_bytes(base64.b64decode(sys.stdin.read()))
"""


def test_a_claims_folder_is_mounted_read_only(kubectl: Kubectl, ingress: Ingress, weights: Path) -> None:
    kubectl.apply(claim("models"), filler("models", IRIS))
    kubectl("wait", "--for=condition=Ready", "pod/fill-models", "--timeout=90s")
    encoded = base64.b64encode(weights.read_bytes()).decode()
    kubectl("exec", "-i", "fill-models", "--", LAUNCHER, "--", "python", "-c", UNPACK, stdin=encoded)
    kubectl("delete", "pod", "fill-models")

    kubectl.apply(isvc("iris", storageUri="pvc://models/iris"))
    found = kubectl.wait_ready("iris")
    assert ingress.predict(found, [SETOSA]).body == FETCHED
    pod = kubectl.items("pods", "-l", "component=predictor")[0]["metadata"]["name"]
    assert "Read-only file system" in kubectl("exec", pod, "--", "touch", "/mnt/models/x", check=False)


@pytest.fixture(scope="session")
def s3(cluster: ClusterInfo) -> S3:
    """A real S3 server that pods can reach."""
    assert cluster.kubeconfig
    found = json.loads(stack.command("cluster", "s3", "up"))
    return S3(found["endpoint"], found["accessKeyId"], found["secretAccessKey"])


def upload(s3: S3, bucket: str, key: str, path: Path) -> None:
    s3.put(f"/{bucket}")
    obstore.put(s3.store(bucket), key, path)


def test_s3_with_the_secret_named_by_annotation(kubectl: Kubectl, ingress: Ingress, s3: S3, weights: Path) -> None:
    upload(s3, kubectl.namespace, "iris/v1/weights.npz", weights)
    kubectl.apply(secret("s3", s3.env))
    named = {"serving.kserve.io/storageSecretName": "s3"}
    kubectl.apply(isvc("iris", annotations=named, storageUri=f"s3://{kubectl.namespace}/iris/v1"))
    assert ingress.predict(kubectl.wait_ready("iris"), [SETOSA]).body == FETCHED
    pod = kubectl.items("pods")[0]["metadata"]["name"]
    log = kubectl("logs", pod, "-c", "storage-initializer")
    assert "fetching 1 file, 590 B" in log
    assert s3.secret not in log


def test_s3_through_the_service_account_and_storage_uri_in_env(
    kubectl: Kubectl, ingress: Ingress, s3: S3, weights: Path
) -> None:
    upload(s3, kubectl.namespace, "weights.npz", weights)
    kubectl.apply(
        secret("s3", {"AWS_ACCESS_KEY_ID": s3.access, "AWS_SECRET_ACCESS_KEY": s3.secret}),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "reader",
                "annotations": {
                    "serving.kserve.io/s3-endpoint": s3.endpoint.removeprefix("http://"),
                    "serving.kserve.io/s3-usehttps": "0",
                    "serving.kserve.io/s3-region": "us-east-1",
                },
            },
            "secrets": [{"name": "s3"}],
        },
    )
    env = [{"name": "STORAGE_URI", "value": f"s3://{kubectl.namespace}/weights.npz"}]
    kubectl.apply(isvc("iris", serviceAccountName="reader", container={"env": env}))
    assert ingress.predict(kubectl.wait_ready("iris"), [SETOSA]).body == FETCHED


def test_a_missing_bucket_is_said_and_heals(kubectl: Kubectl, ingress: Ingress, s3: S3, weights: Path) -> None:
    bucket = f"late-{kubectl.namespace}"
    kubectl.apply(secret("s3", s3.env))
    named = {"serving.kserve.io/storageSecretName": "s3"}
    kubectl.apply(isvc("iris", annotations=named, storageUri=f"s3://{bucket}/iris"))
    condition = kubectl.wait_reason("iris", "StorageInitializerFailed")
    assert bucket in condition["message"]
    upload(s3, bucket, "iris/weights.npz", weights)
    assert ingress.predict(kubectl.wait_ready("iris"), [SETOSA]).body == FETCHED


@pytest.fixture
def web(tmp_path: Path, cluster: ClusterInfo) -> Iterator[str]:
    """An HTTP server on the node's address that serves tmp_path."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer((stack.node_address(), 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{socket.inet_ntoa(socket.inet_aton(server.server_address[0]))}:{server.server_address[1]}"
    server.shutdown()
    thread.join()


def test_http_weights(kubectl: Kubectl, ingress: Ingress, web: str, weights: Path) -> None:
    kubectl.apply(isvc("iris", storageUri=f"{web}/weights.npz"))
    assert ingress.predict(kubectl.wait_ready("iris"), [SETOSA]).body == FETCHED
