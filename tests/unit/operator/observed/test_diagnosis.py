"""One failing pod: which reason, and a message with pod, container, cause and remedy."""

from typing import Any

import pytest

from tests.unit.operator.observed.build import Cluster, condition, ended, isvc, pod, ready_pod, waiting

IMAGE = "registry.example.org/iris:v1"


def failed(shown: dict[str, Any], cluster: Cluster | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return PredictorReady and modelStatus for a first rollout with this pod."""
    status = (cluster or Cluster()).rollout().with_pods(shown).status()
    return condition(status, "PredictorReady"), status["modelStatus"]


@pytest.mark.parametrize(
    ("reason", "text", "want_reason", "want_words"),
    [
        (
            "ErrImagePull",
            f'rpc error: code = NotFound desc = failed to resolve reference "{IMAGE}": {IMAGE}: not found',
            "ImagePullBackOff",
            ["cannot be pulled", "not found", "Check the name and tag, and that the image was pushed"],
        ),
        (
            "ImagePullBackOff",
            f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to authorize: 401 Unauthorized',
            "ImagePullBackOff",
            ["401 Unauthorized", "imagePullSecrets"],
        ),
        (
            "ErrImagePull",
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "ImagePullBackOff",
            ["does not trust the registry"],
        ),
        (
            "ErrImagePull",
            "dial tcp: lookup registry.example.org: no such host",
            "ImagePullBackOff",
            ["cannot reach the registry"],
        ),
        ("InvalidImageName", 'couldn\'t parse image name "A:b:c"', "InvalidImageName", ["registry/repository:tag"]),
        (
            "CreateContainerConfigError",
            'secret "keys" not found',
            "CreateContainerConfigError",
            ["Secret 'keys' does not exist", "Create it"],
        ),
        (
            "CreateContainerConfigError",
            'configmap "conf" not found',
            "CreateContainerConfigError",
            ["ConfigMap 'conf' does not exist"],
        ),
        (
            "CreateContainerConfigError",
            "couldn't find key AWS_ACCESS_KEY_ID in Secret ns/keys",
            "CreateContainerConfigError",
            ["Secret 'keys' has no key 'AWS_ACCESS_KEY_ID'", "Add the key"],
        ),
        (
            "CreateContainerConfigError",
            'container has runAsNonRoot and image will run as root (pod: "x", container: kserve-container)',
            "CreateContainerConfigError",
            ["must not run as root", "runAsUser"],
        ),
        (
            "CreateContainerError",
            "failed to apply OCI options: no command specified",
            "CreateContainerError",
            ["no command specified", "Check command"],
        ),
    ],
)
def test_a_container_that_cannot_start(reason: str, text: str, want_reason: str, want_words: list[str]) -> None:
    found, model = failed(pod(state=waiting(reason, text)))
    assert (found["status"], found["reason"]) == ("False", want_reason)
    assert found["message"].startswith("pod iris-predictor-7d9f8c6b5d-x2x4z, container kserve-container: ")
    for words in want_words:
        assert words in found["message"]
    assert model["transitionStatus"] == "BlockedByFailedLoad"
    assert model["lastFailureInfo"]["reason"] == "RuntimeUnhealthy"
    assert model["copies"] == {"failedCopies": 1, "totalCopies": 0}


def test_a_crash_loop_shows_the_last_lines_of_the_log() -> None:
    log = "Traceback (most recent call last):\n  File ...\nFileNotFoundError: /mnt/models/model.npz\n"
    found, model = failed(pod(state=waiting("CrashLoopBackOff", "back-off 40s"), last=ended(1, log)))
    assert found["reason"] == "CrashLoopBackOff"
    assert "it exited with code 1" in found["message"]
    assert "FileNotFoundError: /mnt/models/model.npz" in found["message"]
    assert "kubectl logs iris-predictor-7d9f8c6b5d-x2x4z -c kserve-container --previous" in found["message"]
    assert model["lastFailureInfo"] == {
        "reason": "ModelLoadFailed",
        "exitCode": 1,
        "location": "iris-predictor-7d9f8c6b5d-x2x4z",
        "message": log.strip(),
        "time": "2026-01-01T11:59:30Z",
    }


def test_the_first_crash_is_told_before_kubernetes_calls_it_a_loop() -> None:
    found, _ = failed(pod(state={"terminated": ended(2, "usage: model [-h]")}))
    assert found["reason"] == "CrashLoopBackOff"
    assert "usage: model [-h]" in found["message"]


def test_a_server_that_ends_without_error_is_a_failure_too() -> None:
    found, _ = failed(pod(state={"terminated": ended(0, reason="Completed")}))
    assert "it ended by itself" in found["message"]


def test_running_out_of_memory_names_the_limit() -> None:
    killed = ended(137, reason="OOMKilled")
    found, model = failed(pod(state=waiting("CrashLoopBackOff"), last=killed))
    assert found["reason"] == "OOMKilled"
    assert "more memory than its limit of 2Gi" in found["message"]
    assert "Raise resources.limits.memory" in found["message"]
    assert model["lastFailureInfo"]["exitCode"] == 137


def test_a_kill_that_a_probe_may_have_asked_for_says_so() -> None:
    cluster = Cluster(isvc({"workers": 1}))
    found, _ = failed(pod(state=waiting("CrashLoopBackOff"), last=ended(137)), cluster)
    assert "SIGKILL (exit code 137)" in found["message"]
    assert "probe may have failed" in found["message"]


def test_a_command_that_is_not_there_reads_the_same_before_and_after_the_kubelet_gives_up() -> None:
    text = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "/serve": stat /serve: no such file or directory'
    )
    first, _ = failed(pod(state=waiting("RunContainerError", text)))
    then, _ = failed(pod(state=waiting("CrashLoopBackOff"), last=ended(128, f"{text}: unknown", "StartError")))
    assert first == then
    assert first["reason"] == "CannotStart"
    assert 'cannot be run: exec: "/serve": stat /serve: no such file or directory. Check command' in first["message"]


def test_what_the_kubelet_says_of_an_image_is_cut_to_the_point() -> None:
    text = (
        f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack '
        f'image "{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not found'
    )
    found, _ = failed(pod(state=waiting("ImagePullBackOff", text)))
    assert f"image '{IMAGE}' cannot be pulled: {IMAGE}: not found. Check the name" in found["message"]


def test_weights_that_cannot_be_fetched_show_the_initializers_own_words() -> None:
    text = "s3://models/iris: there is no bucket 'models'. Create it or correct the URI."
    stuck = pod(init={"terminated": ended(1, text)}, state=waiting("PodInitializing"))
    found, model = failed(stuck, Cluster(isvc({"storageUri": "s3://models/iris"})))
    assert found["reason"] == "StorageInitializerFailed"
    assert "container storage-initializer" in found["message"]
    assert text.rstrip(".") in found["message"]
    assert model["lastFailureInfo"]["reason"] == "ModelLoadFailed"


def test_an_init_container_of_the_authors_own() -> None:
    stuck = pod(init={"terminated": ended(3)}, init_name="warm-up", state=waiting("PodInitializing"))
    found, _ = failed(stuck)
    assert found["reason"] == "InitContainerFailed"
    assert "container warm-up: it exited with code 3" in found["message"]


def test_an_init_container_that_succeeded_is_no_failure() -> None:
    found, _ = failed(pod(init={"terminated": ended(0, reason="Completed")}, state=waiting("PodInitializing")))
    assert found["reason"] == "RolloutInProgress"


def test_fetching_weights_is_progress_and_shows_no_credentials() -> None:
    cluster = Cluster(isvc({"storageUri": "https://user:secret@example.org/m.tar?X-Signature=secret"}))
    found, model = failed(pod(init={"running": {}}, state=waiting("PodInitializing")), cluster)
    assert found["reason"] == "RolloutInProgress"
    assert "fetches the weights from https://example.org/m.tar?..." in found["message"]
    assert "secret" not in found["message"]
    assert model["states"]["targetModelState"] == "Loading"


@pytest.mark.parametrize(
    ("text", "words", "blocking"),
    [
        (
            '0/1 nodes are available: persistentvolumeclaim "weights" not found. preemption: 0/1 nodes are available',
            ["PersistentVolumeClaim 'weights' does not exist", "Create it in the InferenceService's namespace"],
            True,
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            ["not bound", "StorageClass"],
            True,
        ),
        (
            "0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/gpu.",
            ["no node has enough cpu and nvidia.com/gpu", "Lower the resource requests"],
            False,
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {x: y}.",
            ["untolerated taint", "tolerations"],
            False,
        ),
        ("", ["no node takes the pod"], False),
    ],
)
def test_a_pod_that_no_node_takes(text: str, words: list[str], *, blocking: bool) -> None:
    scheduled = {"status": "False", "reason": "Unschedulable", "message": text}
    status = Cluster().rollout().with_pods(pod(scheduled=scheduled)).status()
    found = condition(status, "PredictorReady")
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    for word in words:
        assert word in found["message"]
    assert "preemption" not in found["message"]
    assert status["modelStatus"]["transitionStatus"] == ("BlockedByFailedLoad" if blocking else "InProgress")
    assert condition(status, "Stalled" if blocking else "Reconciling")["status"] == "True"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('pods "x" is forbidden: exceeded quota: q, requested: cpu=1', "ResourceQuota"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0', "securityContext"),
        ('error looking up service account ns/loader: serviceaccount "loader" not found', "Create the ServiceAccount"),
        ('admission webhook "policy" denied the request', "Correct what the message names"),
    ],
)
def test_pods_that_may_not_be_created(text: str, remedy: str) -> None:
    status = Cluster().rollout(replicas=0, updated=0, refused=text).status()
    found = condition(status, "PredictorReady")
    assert found["reason"] == "FailedCreate"
    assert text in found["message"]
    assert remedy in found["message"]


def test_a_passed_deadline_is_told_where_no_pod_says_more() -> None:
    late = ("False", "ProgressDeadlineExceeded")
    quiet = Cluster().rollout(progressing=late).with_pods(pod(state={"running": {}}))
    assert condition(quiet.status())["reason"] == "ProgressDeadlineExceeded"
    crashing = Cluster().rollout(progressing=late).with_pods(pod(state=waiting("CrashLoopBackOff"), last=ended(1)))
    assert condition(crashing.status())["reason"] == "CrashLoopBackOff"


def test_several_failing_pods_are_counted_and_the_same_one_is_named_every_time() -> None:
    pods = [pod(name, state=waiting("CrashLoopBackOff"), last=ended(1)) for name in ("c", "a", "b")]
    status = Cluster().rollout(wanted=3, replicas=3, updated=3).with_pods(*pods).status()
    assert condition(status)["message"].startswith("pod a, ")
    assert "2 more pods of this version fail too" in condition(status)["message"]


def test_an_evicted_pod_matters_only_until_it_is_replaced() -> None:
    gone = pod("gone", phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    alone = Cluster().rollout().with_pods(gone).status()
    assert condition(alone)["reason"] == "Evicted"
    replaced = Cluster().complete().with_pods(gone, ready_pod()).status()
    assert condition(replaced)["status"] == "True"


def test_pods_that_are_being_deleted_are_not_asked() -> None:
    leaving = pod("leaving", state=waiting("CrashLoopBackOff"), last=ended(1), deleted=True)
    status = Cluster().rollout().with_pods(leaving, pod(state={"running": {}})).status()
    assert condition(status)["reason"] == "RolloutInProgress"


def test_without_the_deployments_word_the_youngest_pod_is_of_the_newest_rollout() -> None:
    cluster = Cluster().rollout()
    cluster.deployment["status"]["conditions"] = []
    old = pod("old", template_hash="aaa", created="2026-01-01T10:00:00Z", state=waiting("ErrImagePull", "not found"))
    young = pod("young", template_hash="bbb", state={"running": {}})
    assert condition(cluster.with_pods(old, young).status())["reason"] == "RolloutInProgress"


def test_a_very_long_log_is_cut_in_condition_and_failure() -> None:
    found, model = failed(pod(state={"terminated": ended(1, "x" * 9000)}))
    assert len(found["message"]) <= 1024
    assert len(model["lastFailureInfo"]["message"]) <= 4096
    assert "Read the log" in found["message"]
