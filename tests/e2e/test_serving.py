"""Predictions through our server in real pods: the author's command is `python -m model`, and kserve is not run."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput

from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import LAUNCHER, isvc

SETOSA, VIRGINICA = [5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]
FLOWERS = np.array([SETOSA, VIRGINICA], dtype=np.float32)

LOAD_FAILS = """
from kserve import Model, ModelServer
class Broken(Model):
    def load(self):
        raise ValueError('weights.npz has 3 classes, not 4')
ModelServer().start([Broken('m')])
"""
WAITS_FOR_A_FILE = """
import os, time
from kserve import Model, ModelServer
class Slow(Model):
    def load(self):
        while not os.path.exists('/tmp/go'):
            time.sleep(0.1)
        self.ready = True
    def predict(self, payload, headers=None):
        return {'predictions': payload['instances']}
ModelServer().start([Slow('m')])
"""
TAKES_ITS_TIME = """
import time
from kserve import Model, ModelServer
class Slow(Model):
    def load(self):
        self.ready = True
    def predict(self, payload, headers=None):
        print('the prediction began', flush=True)
        time.sleep(payload['instances'][0])
        return {'predictions': ['done']}
ModelServer().start([Slow('m')])
"""


def model(code: str) -> dict[str, Any]:
    """The iris image with an entry point of the test's own, started as an author's is: by plain python."""
    return {"command": [LAUNCHER, "--", "python", "-c", code]}


@pytest.fixture
def iris(kubectl: Kubectl, ingress: Ingress) -> dict[str, Any]:
    """A Ready InferenceService that serves gRPC too, known to the ingress."""
    kubectl.apply(isvc("iris", grpcPort=8081))
    found = kubectl.wait_ready("iris")
    assert ingress.predict(found, [SETOSA]).status == 200
    return found


@contextmanager
def forwarded(kubectl: Kubectl, what: str, port: int) -> Iterator[str]:
    """`kubectl port-forward` to a port of a pod or a Service, by an address of this machine."""
    command = [str(kubectl.binary), f"--kubeconfig={kubectl.kubeconfig}", f"--namespace={kubectl.namespace}"]
    process = subprocess.Popen(
        [*command, "port-forward", "--address=127.0.0.1", what, f":{port}"], stdout=subprocess.PIPE, text=True
    )
    try:
        said = process.stdout.readline() if process.stdout else ""
        match = re.search(r"127\.0\.0\.1:\d+", said)
        assert match, f"kubectl port-forward {what} said {said!r}"
        yield match[0]
    finally:
        process.terminate()
        process.wait()


def sole_pod(kubectl: Kubectl) -> str:
    (pod,) = kubectl.items("pods")
    return str(pod["metadata"]["name"])


def test_the_seeds_curl_needs_no_content_type(iris: dict[str, Any], ingress: Ingress) -> None:
    curl = ["curl", "--silent", "--fail-with-body", "-H", f"Host: {urlsplit(iris['status']['url']).netloc}"]
    body = json.dumps({"instances": [SETOSA, VIRGINICA]})

    answer = subprocess.run(
        [*curl, f"{ingress.url}/v1/models/iris:predict", "-d", body], capture_output=True, text=True, check=True
    )

    assert json.loads(answer.stdout) == {"predictions": [0, 2]}


def test_the_server_is_ours(iris: dict[str, Any], ingress: Ingress) -> None:
    metadata = ingress.send(iris["status"]["url"], "/v2").body
    assert metadata["name"] == "modelwright"
    assert "binary_tensor_data" in metadata["extensions"]


def test_v2_json_through_the_ingress(iris: dict[str, Any], ingress: Ingress) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [2, 4], "data": [*SETOSA, *VIRGINICA]}

    answer = ingress.send(iris["status"]["url"], "/v2/models/iris/infer", {"id": "a1", "inputs": [tensor]})

    assert (answer.status, answer.body["id"], answer.body["outputs"][0]["data"]) == (200, "a1", [0, 2])


def test_v2_binary_tensors_through_the_ingress(iris: dict[str, Any], ingress: Ingress) -> None:
    size = {"binary_data_size": FLOWERS.nbytes}
    tensor = {"name": "x", "datatype": "FP32", "shape": [2, 4], "parameters": size}
    header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    request = urllib.request.Request(
        f"{ingress.url}/v2/models/iris/infer",
        data=header + FLOWERS.tobytes(),
        headers={
            "Host": urlsplit(iris["status"]["url"]).netloc,
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(header)),
        },
    )

    with urllib.request.urlopen(request, timeout=30) as answer:
        body, length = answer.read(), int(answer.headers["Inference-Header-Content-Length"])

    (output,) = json.loads(body[:length])["outputs"]
    assert output["datatype"] == "INT64"
    assert np.frombuffer(body[length:], dtype=np.int64).tolist() == [0, 2]


@pytest.mark.parametrize("kind", ["pod", "service"])
def test_v2_grpc_through_the_pod_and_through_the_service(iris: dict[str, Any], kubectl: Kubectl, kind: str) -> None:
    what = f"pod/{sole_pod(kubectl)}" if kind == "pod" else "service/iris-predictor"
    tensor = InferInput("x", [2, 4], "FP32").set_data_from_numpy(FLOWERS)

    with forwarded(kubectl, what, 8081) as address, InferenceServerClient(address) as client:
        assert client.is_server_ready()
        (output,) = client.infer("iris", [tensor]).get_response().outputs
        answer = client.infer("iris", [tensor]).as_numpy(output.name)

    assert answer.tolist() == [0, 2]


def test_the_kubelet_s_own_grpc_probes_find_the_server_and_its_model(kubectl: Kubectl) -> None:
    probes = {
        "startupProbe": {"grpc": {"port": 8081}, "periodSeconds": 1, "failureThreshold": 120},
        "readinessProbe": {"grpc": {"port": 8081, "service": "iris"}, "periodSeconds": 1},
        "livenessProbe": {"grpc": {"port": 8081, "service": "inference.GRPCInferenceService"}, "periodSeconds": 1},
    }
    kubectl.apply(isvc("iris", grpcPort=8081, container=probes))
    kubectl.wait_ready("iris")
    (container,) = kubectl.get("pod", sole_pod(kubectl))["spec"]["containers"]
    assert {name: container[name]["grpc"]["port"] for name in probes} == dict.fromkeys(probes, 8081)

    # And it is the model that they ask for: one of another name is not found, and the pod is never ready.
    probes["readinessProbe"] = {"grpc": {"port": 8081, "service": "nobody"}, "periodSeconds": 1}
    kubectl.apply(isvc("nobody", grpcPort=8081, container=probes))
    until(
        lambda: "its readiness probe does not succeed yet" in kubectl.condition("nobody").get("message", ""),
        90,
        lambda: f"never asked for its model: {kubectl.isvc('nobody').get('status')}",
    )


def test_genuine_kserve_answers_where_the_spec_says_so(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("iris", container={"env": [{"name": "MODELWRIGHT_KSERVE", "value": "genuine"}]}))
    found = kubectl.wait_ready("iris")
    assert ingress.predict(found, [SETOSA]).body == {"predictions": [0]}
    assert ingress.send(found["status"]["url"], "/v2").body["name"] == "kserve"


def test_a_model_that_does_not_load_shows_its_author_s_traceback_in_the_status(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("m", container=model(LOAD_FAILS)))
    condition = kubectl.wait_reason("m", "CrashLoopBackOff")
    for said in ("model 'm' did not load", "line 5, in load", "ValueError: weights.npz has 3 classes, not 4"):
        assert said in condition["message"]
    failure = kubectl.isvc("m")["status"]["modelStatus"]["lastFailureInfo"]
    assert (failure["reason"], failure["exitCode"]) == ("ModelLoadFailed", 1)


@pytest.mark.parametrize("told", ["true", "false"])
def test_a_service_is_ready_when_its_model_is_and_not_before(kubectl: Kubectl, ingress: Ingress, told: str) -> None:
    kubectl.apply(isvc("m", container=model(WAITS_FOR_A_FILE), annotations={"modelwright.dev/model-server": told}))
    probe = "startup" if told == "true" else "readiness"
    until(
        lambda: f"its {probe} probe does not succeed yet" in kubectl.condition("m").get("message", ""),
        90,
        lambda: f"never waited for its model: {kubectl.isvc('m').get('status')}",
    )
    pod = sole_pod(kubectl)
    assert "Started" in kubectl("events", "--for", f"pod/{pod}")
    kubectl("exec", pod, "--", "touch", "/tmp/go")
    assert ingress.predict(kubectl.wait_ready("m"), [7]).body == {"predictions": [7]}


def test_a_model_of_another_name_than_its_service_is_ready_and_found_under_its_own(
    kubectl: Kubectl, ingress: Ingress
) -> None:
    kubectl.apply(isvc("flowers"))
    found = kubectl.wait_ready("flowers")
    assert ingress.predict(found, [SETOSA], model="iris").body == {"predictions": [0]}


def test_the_longest_name_is_served_inside_the_cluster(kubectl: Kubectl) -> None:
    name = "iris-" + "a" * 48
    service = isvc(name)
    service["metadata"]["labels"] = {"networking.kserve.io/visibility": "cluster-local"}
    kubectl.apply(service)
    kubectl.wait_ready(name)
    with forwarded(kubectl, f"service/{name}-predictor", 80) as address:
        body = json.dumps({"instances": [SETOSA]}).encode()
        with urllib.request.urlopen(f"http://{address}/v1/models/iris:predict", data=body, timeout=30) as answer:
            assert json.loads(answer.read()) == {"predictions": [0]}


def test_a_request_in_work_outlives_its_pod_s_deletion(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("m", container=model(TAKES_ITS_TIME)))
    found = kubectl.wait_ready("m")
    ingress.predict(found, [0])
    pod = sole_pod(kubectl)
    answers: list[object] = []
    # Longer than the preStop hook, so that SIGTERM comes while the model works.
    caller = threading.Thread(target=lambda: answers.append(ingress.predict_once(found, [12])))
    caller.start()
    until(
        lambda: kubectl("logs", pod).count("the prediction began") == 2,
        30,
        lambda: kubectl("logs", pod),
    )
    kubectl("delete", "pod", pod, "--wait=false")
    caller.join()
    assert [(answer.status, answer.body) for answer in answers] == [(200, {"predictions": ["done"]})]
