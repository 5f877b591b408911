"""Whatever pods and Deployments look like, there is a status, and it fits the schema of the CRD."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator import observed
from modelwright_operator.api.status import InferenceServiceStatus
from modelwright_operator.observed import MountEvent
from modelwright_operator.settings import Settings

from tests.unit.operator.observed.build import NOW, Cluster, isvc

words = st.sampled_from(
    [
        "",
        "Error",
        "OOMKilled",
        "ImagePullBackOff",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ContainerCreating",
        "New",
    ]
)
text = st.text(max_size=40)
terminated = st.fixed_dictionaries({}, optional={"exitCode": st.integers(-1, 300), "reason": words, "message": text})
state: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.just({"running": {}}),
    st.fixed_dictionaries({"waiting": st.fixed_dictionaries({}, optional={"reason": words, "message": text})}),
    st.fixed_dictionaries({"terminated": terminated}),
)
container = st.fixed_dictionaries(
    {"name": st.sampled_from(["kserve-container", "storage-initializer", "other"])},
    optional={
        "state": state,
        "lastState": st.fixed_dictionaries({}, optional={"terminated": terminated}),
        "ready": st.booleans(),
    },
)
conditions = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Ready", "PodScheduled", "Progressing", "ReplicaFailure", "Available"])},
        optional={"status": st.sampled_from(["True", "False", "Unknown"]), "reason": words, "message": text},
    ),
    max_size=3,
)
pods = st.lists(
    st.fixed_dictionaries(
        {"metadata": st.fixed_dictionaries({"name": st.sampled_from(["a", "b"])})},
        optional={
            "status": st.fixed_dictionaries(
                {},
                optional={
                    "phase": st.sampled_from(["Pending", "Running", "Failed", "Succeeded"]),
                    "reason": words,
                    "conditions": conditions,
                    "containerStatuses": st.lists(container, max_size=2),
                    "initContainerStatuses": st.lists(container, max_size=2),
                },
            )
        },
    ),
    max_size=3,
)
numbers = st.integers(0, 3)
deployment_status = st.fixed_dictionaries(
    {},
    optional={
        "observedGeneration": numbers,
        "replicas": numbers,
        "updatedReplicas": numbers,
        "availableReplicas": numbers,
        "conditions": conditions,
    },
)
mount_messages = st.one_of(
    text,
    st.tuples(
        st.sampled_from(["", 'MountVolume.SetUp failed for volume "v" : ']),
        st.sampled_from(['secret "s" not found', "references non-existent secret key: k", "other"]),
    ).map("".join),
)
mount_events = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.builds(MountEvent, st.sampled_from(["FailedMount", "FailedAttachVolume"]), mount_messages),
)


@given(found=pods, deployment=deployment_status, told=mount_events)
def test_there_is_always_a_status_that_the_crd_accepts(
    found: list[dict[str, Any]], deployment: dict[str, Any], told: dict[str, MountEvent]
) -> None:
    cluster = Cluster(isvc({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})).with_pods(*found)
    cluster.mount_events = told
    cluster.deployment["status"] = deployment
    status = cluster.status()
    again = InferenceServiceStatus.model_validate(status).model_dump(by_alias=True, exclude_unset=True)
    assert again["conditions"] == tuple(status["conditions"])
    assert {c["status"] for c in status["conditions"] if c["type"] in ("Reconciling", "Stalled")} <= {"True"}


def test_nothing_seen_at_all_is_a_status_too() -> None:
    status = observed.status(isvc(), observed.Observation(), Settings(), NOW)
    assert status["modelStatus"]["transitionStatus"] == "InProgress"
