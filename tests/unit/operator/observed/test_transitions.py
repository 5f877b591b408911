"""The life of an InferenceService, step by step: what its status says and which events are told."""

from modelwright_operator.desired import Problem

from tests.unit.operator.observed.build import (
    LATER,
    NEW,
    NOW,
    OLD,
    RUNNING,
    Cluster,
    condition,
    ended,
    isvc,
    pod,
    ready_pod,
    waiting,
)


def test_a_new_service_becomes_ready() -> None:
    cluster = Cluster()
    cluster.children = {}  # nothing has been applied yet
    status, events = cluster.step()
    assert condition(status)["status"] == "Unknown"
    assert condition(status)["reason"] == "RolloutInProgress"
    assert [event.type for event in events] == ["Normal"]

    cluster.children = Cluster().children
    cluster.rollout().with_pods(pod(state=waiting("ContainerCreating")))
    status, events = cluster.step()
    assert "its containers are being created" in condition(status)["message"]
    assert condition(status, "Reconciling")["status"] == "True"
    assert status["modelStatus"]["states"] == {"activeModelState": "Pending", "targetModelState": "Pending"}
    assert events == []

    cluster.with_pods(pod(state=RUNNING))
    status, _ = cluster.step()
    assert "readiness probe does not succeed yet (TCP :8080)" in condition(status)["message"]
    assert status["modelStatus"]["states"]["targetModelState"] == "Loading"

    cluster.complete().with_pods(ready_pod())
    status, events = cluster.step(LATER)
    assert condition(status) == {"type": "Ready", "status": "True", "lastTransitionTime": LATER}
    assert not condition(status, "Reconciling")
    assert status["modelStatus"] == {
        "transitionStatus": "UpToDate",
        "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
        "copies": {"failedCopies": 0, "totalCopies": 1},
    }
    assert [(event.type, event.reason) for event in events] == [("Normal", "InferenceServiceReady")]


def test_a_ready_status_has_kserves_conditions_and_addresses() -> None:
    status = Cluster().complete().with_pods(ready_pod()).status()
    assert [(c["type"], c["status"], c.get("severity")) for c in status["conditions"]] == [
        ("IngressReady", "True", None),
        ("PredictorReady", "True", None),
        ("Ready", "True", None),
        ("Stopped", "False", "Info"),
    ]
    assert status["observedGeneration"] == 3
    assert status["url"] == "http://iris-ns.example.com"
    assert status["address"] == {"url": "http://iris-predictor.ns.svc.cluster.local"}
    assert status["components"] == {"predictor": {"url": "http://iris-predictor-ns.example.com"}}
    assert status["deploymentMode"] == "Standard"


def test_a_change_is_not_ready_before_the_deployment_controller_has_seen_it() -> None:
    cluster = Cluster().complete().with_pods(ready_pod())
    cluster.step()
    cluster.deployment["metadata"]["generation"] = 2  # the answer to the apply; its status is still the old one
    status, events = cluster.step(LATER)
    assert (condition(status)["status"], condition(status)["reason"]) == ("Unknown", "RolloutInProgress")
    assert condition(status)["lastTransitionTime"] == LATER
    assert status["modelStatus"]["transitionStatus"] == "InProgress"
    assert status["modelStatus"]["states"]["activeModelState"] == "Loaded"
    assert [(event.type, event.reason) for event in events] == [("Normal", "RolloutInProgress")]


def test_a_rollout_is_not_ready_while_old_pods_serve() -> None:
    cluster = Cluster().rollout(replicas=2, updated=1, available=2)
    status = cluster.with_pods(ready_pod(), ready_pod("old", template_hash=OLD)).status()
    assert condition(status)["status"] == "Unknown"


def test_a_failed_rollout_says_so_and_that_the_old_version_serves() -> None:
    cluster = Cluster().complete().with_pods(ready_pod("old", template_hash=NEW))
    cluster.step()
    cluster.rollout(replicas=2, updated=1, available=1, generation=2)
    broken = pod("new", state=waiting("ImagePullBackOff", 'Back-off pulling image "x"'))
    status, events = cluster.with_pods(broken, ready_pod("old", template_hash=OLD)).step()
    assert condition(status)["reason"] == "ImagePullBackOff"
    assert condition(status)["message"].endswith("The version before it still serves.")
    assert status["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad"
    assert status["modelStatus"]["states"] == {"activeModelState": "Loaded", "targetModelState": "FailedToLoad"}
    assert [(event.type, event.reason) for event in events] == [
        ("Warning", "InferenceServiceNotReady"),
        ("Warning", "ImagePullBackOff"),
    ]


def test_old_pods_failures_are_not_told_while_they_are_replaced() -> None:
    cluster = Cluster().rollout(replicas=2, updated=1)
    old = pod("old", template_hash=OLD, state=waiting("CrashLoopBackOff"), last=ended(1))
    status = cluster.with_pods(old, pod("new", state=RUNNING)).status()
    assert condition(status)["reason"] == "RolloutInProgress"
    assert "lastFailureInfo" not in status["modelStatus"]


def test_a_failure_is_cleared_on_recovery() -> None:
    cluster = Cluster().rollout().with_pods(pod(state=waiting("CrashLoopBackOff"), last=ended(1, "boom")))
    status, _ = cluster.step()
    assert condition(status, "Stalled")["reason"] == "CrashLoopBackOff"

    status, events = cluster.with_pods(pod(state=RUNNING, last=ended(1, "boom"))).step()
    assert condition(status)["reason"] == "CrashLoopBackOff", "running again is not ready again"
    assert events == []

    recovered = ready_pod(last=ended(1, "boom"))
    status, events = cluster.complete().with_pods(recovered).step()
    assert condition(status)["status"] == "True"
    assert "lastFailureInfo" not in status["modelStatus"]
    assert not condition(status, "Stalled")
    assert [event.reason for event in events] == ["InferenceServiceReady"]


def test_a_crash_after_the_rollout_makes_it_not_ready() -> None:
    cluster = Cluster().rollout(available=0, progressing=("True", "NewReplicaSetAvailable"))
    status = cluster.with_pods(pod(state=waiting("CrashLoopBackOff"), last=ended(1))).status()
    assert (condition(status)["status"], condition(status)["reason"]) == ("False", "CrashLoopBackOff")


def test_pods_that_the_autoscaler_adds_do_not_make_a_serving_model_unready() -> None:
    cluster = Cluster(isvc({"minReplicas": 1, "maxReplicas": 4}))
    cluster.rollout(wanted=4, replicas=4, updated=4, available=1, progressing=("True", "NewReplicaSetAvailable"))
    cluster.with_pods(ready_pod(), pod("b", state=RUNNING), pod("c", state=RUNNING), pod("d", state=RUNNING))
    assert condition(cluster.status())["status"] == "True"


def test_fewer_pods_than_the_author_asked_for_are_not_ready() -> None:
    cluster = Cluster(isvc({"minReplicas": 2}))
    cluster.rollout(wanted=2, replicas=2, updated=2, available=1, progressing=("True", "NewReplicaSetAvailable"))
    status = cluster.with_pods(ready_pod("a"), pod("b", state=RUNNING)).status()
    assert condition(status)["reason"] == "MinimumReplicasUnavailable"
    assert "1 of 2 pods are ready; pod b" in condition(status)["message"]


def test_pods_that_the_autoscaler_has_yet_to_ask_for_are_awaited() -> None:
    status = Cluster(isvc({"minReplicas": 3})).complete(1).with_pods(ready_pod()).status()
    assert (condition(status)["status"], condition(status)["reason"]) == ("Unknown", "ScalingUp")
    assert condition(status)["message"].startswith("1 of 3 pods are ready")


def test_a_scaler_of_the_authors_own_may_go_below_the_minimum() -> None:
    annotations = {"serving.kserve.io/autoscalerClass": "external"}
    cluster = Cluster(isvc({"minReplicas": 3}, annotations=annotations))
    assert condition(cluster.complete(1).with_pods(ready_pod()).status())["status"] == "True"


def test_the_same_observation_gives_the_same_status_whatever_the_time() -> None:
    for cluster in (
        Cluster().complete().with_pods(ready_pod()),
        Cluster().rollout().with_pods(pod(state=waiting("CrashLoopBackOff"), last=ended(1))),
        Cluster().rollout().with_pods(pod(state=waiting("ImagePullBackOff", "x"))),
        Cluster().rollout(refused="pods are forbidden: exceeded quota"),
    ):
        first, _ = cluster.step(NOW)
        second, events = cluster.step(LATER)
        assert first == second
        assert events == []


def test_attempts_to_pull_do_not_change_the_reason_back_and_forth() -> None:
    text = 'failed to pull and unpack image "x": not found'
    cluster = Cluster().rollout().with_pods(pod(state=waiting("ErrImagePull", text)))
    first, _ = cluster.step()
    back_off = f'Back-off pulling image "registry.example.org/iris:v1": ErrImagePull: {text}'
    cluster.with_pods(pod(state=waiting("ImagePullBackOff", back_off)))
    second, events = cluster.step()
    assert first["conditions"] == second["conditions"]
    assert events == []


def test_stopping_ends_pods_and_is_no_failure() -> None:
    cluster = Cluster().complete().with_pods(ready_pod())
    cluster.step()
    cluster.service = isvc(annotations={"serving.kserve.io/stop": "true"})
    cluster.children = {}
    cluster.with_pods(ready_pod(deleted=True))
    status, _ = cluster.step()
    assert condition(status, "Stopped")["status"] == "False"
    assert condition(status, "Reconciling")["reason"] == "Stopping"

    cluster.with_pods()
    status, events = cluster.step()
    assert condition(status, "Stopped") == {
        "type": "Stopped",
        "status": "True",
        "reason": "Stopped",
        "severity": "Info",
        "lastTransitionTime": NOW,
    }
    assert condition(status)["reason"] == "Stopped"
    assert "url" not in status
    assert [(event.type, event.reason) for event in events] == [("Normal", "Stopped")]
    assert cluster.step()[1] == []


def test_an_invalid_spec_names_field_and_remedy_and_heals() -> None:
    cluster = Cluster()
    cluster.children = {}
    cluster.problems = [Problem("metadata.name", "too long; shorten it"), Problem("x", "y")]
    status, events = cluster.step()
    assert condition(status)["reason"] == "InvalidSpec"
    assert condition(status)["message"].startswith("metadata.name: too long; shorten it. 1 more problem")
    assert condition(status, "Stalled")["status"] == "True"
    assert status["modelStatus"]["transitionStatus"] == "InvalidSpec"
    assert status["modelStatus"]["lastFailureInfo"]["reason"] == "InvalidPredictorSpec"
    assert [(event.type, event.reason) for event in events] == [("Warning", "InvalidSpec")]

    cluster.problems, cluster.children = [], Cluster().children
    status, _ = cluster.complete().with_pods(ready_pod()).step()
    assert condition(status)["status"] == "True"


def test_an_apply_that_fails_is_told() -> None:
    cluster = Cluster().complete().with_pods(ready_pod())
    cluster.error = 'Service "iris-predictor" is forbidden: no.'
    status = cluster.status()
    assert (condition(status)["status"], condition(status)["reason"]) == ("False", "ReconcileFailed")
    assert "is forbidden: no. It is tried again" in condition(status)["message"]
    assert status["modelStatus"]["transitionStatus"] != "UpToDate"
