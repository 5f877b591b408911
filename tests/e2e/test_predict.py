"""From `kubectl apply` to a prediction through the ingress, and nothing left after `kubectl delete`."""

from __future__ import annotations

import threading
import time

from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import IRIS, isvc

SETOSA, VIRGINICA = [5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]

# The seed's YAML as written, image name aside.
SEED = f"""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: custom-model
spec:
  predictor:
    containers:
      - name: kserve-container
        image: {IRIS}
"""


def test_the_seeds_yaml_becomes_ready_and_kubectl_delete_leaves_nothing(kubectl: Kubectl) -> None:
    assert kubectl.apply(SEED) == "inferenceservice.serving.kserve.io/custom-model created\n"
    found = kubectl.wait_ready("custom-model")
    assert found["status"]["url"] == f"http://custom-model-{kubectl.namespace}.example.com"
    assert "finalizers" not in found["metadata"]
    kubectl("delete", "-f", "-", stdin=SEED)
    kinds = "isvc,deployment,replicaset,pod,service,hpa,ingress"
    until(
        lambda: kubectl("get", kinds, "-o", "name").strip() == "",
        60,
        lambda: kubectl("get", kinds, "-o", "name"),
    )


def test_a_prediction_comes_back_through_the_ingress(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("iris"))
    answer = ingress.predict(kubectl.wait_ready("iris"), [SETOSA, VIRGINICA])
    assert (answer.status, answer.body) == (200, {"predictions": [0, 2]})


def test_typed_fields_reach_the_server_and_the_ports_follow(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("iris", workers=2, httpPort=9000, maxAsyncioWorkers=6, enableLatencyLogging=True))
    found = kubectl.wait_ready("iris")
    pod = kubectl.items("pods")[0]
    processes = kubectl(
        "exec", pod["metadata"]["name"], "--", "/cnb/lifecycle/launcher", "sh", "-c", "cat /proc/1/cmdline"
    )
    arguments = processes.split("\0")
    assert {"--workers=2", "--http_port=9000", "--max_asyncio_workers=6", "--enable_latency_logging=true"} <= set(
        arguments
    )
    assert ingress.predict(found, [SETOSA]).body == {"predictions": [0]}


def test_a_rolling_update_drops_no_request(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("iris"))
    found = kubectl.wait_ready("iris")
    assert ingress.predict(found, [SETOSA]).status == 200
    wrong: list[object] = []
    sent = 0
    rolled = threading.Event()

    def call() -> None:
        nonlocal sent
        while not rolled.is_set():
            try:
                answer = ingress.predict_once(found, [SETOSA])
            except OSError as error:
                wrong.append(error)
            else:
                sent += 1
                if answer.status != 200:
                    wrong.append(answer)
            time.sleep(0.02)

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        before = {pod["metadata"]["name"] for pod in kubectl.items("pods")}
        kubectl.apply(isvc("iris", container={"env": [{"name": "REVISION", "value": "2"}]}))
        kubectl.wait_ready("iris")
        until(
            lambda: not before & {pod["metadata"]["name"] for pod in kubectl.items("pods")}, 90, lambda: "old pods stay"
        )
    finally:
        rolled.set()
        for caller in callers:
            caller.join()
    assert sent > 50
    assert wrong == []


def test_ready_is_not_claimed_while_a_rollout_runs(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    kubectl.apply(isvc("iris", container={"image": f"{IRIS}-missing"}))
    condition = kubectl.wait_reason("iris", "ImagePullBackOff")
    assert f"{IRIS}-missing" in condition["message"]
    found = kubectl.isvc("iris")
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"] == 2
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")


def test_a_change_of_labels_restarts_no_pod(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    before = kubectl.items("pods")[0]["metadata"]["uid"]
    kubectl("label", "isvc", "iris", "team=flowers")
    until(
        lambda: kubectl.get("deployment", "iris-predictor")["metadata"]["labels"].get("team") == "flowers",
        10,
        lambda: "the label never reached the Deployment",
    )
    assert [pod["metadata"]["uid"] for pod in kubectl.items("pods")] == [before]


def test_drift_is_corrected_at_once(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    uid = kubectl.get("service", "iris-predictor")["metadata"]["uid"]
    kubectl("delete", "service", "iris-predictor")
    until(
        lambda: (kubectl.find("service", "iris-predictor") or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid,
        10,
        lambda: "the Service did not come back",
        every=0.05,
    )


def test_any_user_and_a_read_only_root_will_do(kubectl: Kubectl, ingress: Ingress) -> None:
    hardened = {"runAsUser": 1234567, "runAsGroup": 0, "readOnlyRootFilesystem": True}
    mounted = {"volumes": [{"name": "tmp", "emptyDir": {}}]}
    container = {"securityContext": hardened, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}
    kubectl.apply(isvc("iris", container=container, **mounted))
    found = kubectl.wait_ready("iris")
    pod = kubectl.items("pods")[0]["metadata"]["name"]
    assert kubectl("exec", pod, "--", "id", "-u").strip() == "1234567"
    assert ingress.predict(found, [SETOSA]).body == {"predictions": [0]}


def test_min_replicas_are_all_there_before_it_is_ready(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris", minReplicas=2, maxReplicas=3))
    kubectl.wait_ready("iris")
    assert kubectl.get("deployment", "iris-predictor")["status"]["availableReplicas"] == 2
    # Pods are told by a watch of their own, which may be a moment behind the Deployment's.
    until(
        lambda: kubectl.get("isvc", "iris")["status"]["modelStatus"]["copies"]["totalCopies"] == 2,
        30,
        lambda: kubectl("get", "isvc", "iris", "-o", "yaml"),
    )
    assert kubectl.get("hpa", "iris-predictor")["spec"]["minReplicas"] == 2


def test_a_stopped_service_has_no_pods_and_starts_again(kubectl: Kubectl, ingress: Ingress) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    kubectl("annotate", "isvc", "iris", "serving.kserve.io/stop=true")
    until(lambda: not kubectl.items("pods,deployments,ingresses,hpa"), 60, lambda: kubectl("get", "all"))
    assert kubectl.condition("iris", "Stopped")["status"] == "True"
    kubectl("annotate", "isvc", "iris", "serving.kserve.io/stop-")
    assert ingress.predict(kubectl.wait_ready("iris"), [SETOSA]).status == 200
