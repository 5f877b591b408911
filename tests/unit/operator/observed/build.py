"""Objects as a cluster shows them, for the tests of `observed`: what the kubelet and the controllers write."""

from typing import Any, Self

from modelwright_operator import desired, observed
from modelwright_operator.api import InferenceService
from modelwright_operator.settings import Settings

NOW = "2026-01-01T12:00:00Z"
LATER = "2026-01-01T12:05:00Z"
NEW, OLD = "7d9f8c6b5d", "5c4b8f7d99"


def isvc(predictor: dict[str, Any] | None = None, **metadata: Any) -> InferenceService:
    containers = [{"name": "kserve-container", "image": "registry.example.org/iris:v1"}]
    return InferenceService.model_validate(
        {
            "metadata": {"name": "iris", "namespace": "ns", "uid": "u-1", "generation": 3, **metadata},
            "spec": {"predictor": {"containers": containers, **(predictor or {})}},
        }
    )


class Cluster:
    """A namespace with the children of one InferenceService, in whatever state a test says."""

    def __init__(self, service: InferenceService | None = None, **settings: Any) -> None:
        self.service = service or isvc()
        self.settings = Settings(**settings)
        made = desired.children(self.service, self.settings, desired.Inputs())
        self.children = {(child["kind"], child["metadata"]["name"]): child for child in made}
        self.pods: list[dict[str, Any]] = []
        self.workers: list[dict[str, Any]] = []
        self.previous: dict[str, Any] = {}
        self.problems: list[desired.Problem] = []
        self.error: str | None = None
        self.mount_events: dict[str, observed.MountEvent] = {}
        if ingress := self.children.get(("Ingress", "iris")):
            ingress["status"] = {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}

    @property
    def deployment(self) -> dict[str, Any]:
        return self.children["Deployment", "iris-predictor"]

    def rollout(
        self,
        *,
        wanted: int = 1,
        replicas: int = 1,
        updated: int = 1,
        available: int = 0,
        generation: int = 1,
        observed_generation: int | None = None,
        progressing: tuple[str, str] = ("True", "ReplicaSetUpdated"),
        refused: str = "",
    ) -> Self:
        status, reason = progressing
        text = f'ReplicaSet "iris-predictor-{NEW}" is progressing.'
        conditions = [{"type": "Progressing", "status": status, "reason": reason, "message": text}]
        if refused:
            conditions.append(
                {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refused}
            )
        self.deployment["metadata"]["generation"] = generation
        self.deployment["spec"]["replicas"] = wanted
        self.deployment["status"] = {
            "observedGeneration": generation if observed_generation is None else observed_generation,
            "replicas": replicas,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "conditions": conditions,
        }
        return self

    def complete(self, replicas: int = 1) -> Self:
        return self.rollout(
            wanted=replicas,
            replicas=replicas,
            updated=replicas,
            available=replicas,
            progressing=("True", "NewReplicaSetAvailable"),
        )

    def with_pods(self, *pods: dict[str, Any]) -> Self:
        self.pods = list(pods)
        return self

    def status(self, now: str = NOW) -> dict[str, Any]:
        seen = observed.Observation(
            children=self.children,
            pods=self.pods,
            workers=self.workers,
            mount_events=self.mount_events,
            problems=self.problems,
            previous=self.previous,
            reconcile_error=self.error,
        )
        return observed.status(self.service, seen, self.settings, now)

    def step(self, now: str = NOW) -> tuple[dict[str, Any], list[observed.Event]]:
        """Return the new status and the events, and store the status as the reconciler would."""
        status = self.status(now)
        events = observed.transitions(self.previous, status)
        self.previous = status
        return status, events


def condition(status: dict[str, Any], kind: str = "Ready") -> dict[str, Any]:
    found: dict[str, Any] = next((c for c in status["conditions"] if c["type"] == kind), {})
    return found


def pod(
    name: str = "iris-predictor-7d9f8c6b5d-x2x4z",
    *,
    state: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    init: dict[str, Any] | None = None,
    init_name: str = "storage-initializer",
    ready: bool = False,
    started: bool = False,
    scheduled: dict[str, Any] | None = None,
    template_hash: str = NEW,
    created: str = "2026-01-01T11:59:00Z",
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    """Return a pod as the operator's cache keeps it: the containers' names and images, and the status."""
    metadata: dict[str, Any] = {
        "name": name,
        "creationTimestamp": created,
        "labels": {"app": "isvc.iris-predictor", "pod-template-hash": template_hash},
    }
    if deleted:
        metadata["deletionTimestamp"] = NOW
    spec: dict[str, Any] = {"containers": [{"name": "kserve-container", "image": "registry.example.org/iris:v1"}]}
    shown: dict[str, Any] = {"phase": "Pending" if not ready else "Running", **status}
    shown["conditions"] = [
        {"type": "PodScheduled", "status": "True", **(scheduled or {})},
        {"type": "Ready", "status": "True" if ready else "False"},
    ]
    if init is not None:
        spec["initContainers"] = [{"name": init_name, "image": "registry.example.org/modelwright:v1"}]
        shown["initContainerStatuses"] = [{"name": init_name, "ready": False, "state": init}]
    if state is not None:
        main = {"name": "kserve-container", "ready": ready, "started": started or ready, "state": state}
        if last is not None:
            main |= {"lastState": {"terminated": last}, "restartCount": 1}
        shown["containerStatuses"] = [main]
    return {"metadata": metadata, "spec": spec, "status": shown}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"exitCode": code, "reason": reason, "message": message, "finishedAt": "2026-01-01T11:59:30Z"}


RUNNING = {"running": {"startedAt": "2026-01-01T11:59:10Z"}}


def ready_pod(name: str = "iris-predictor-7d9f8c6b5d-x2x4z", **values: Any) -> dict[str, Any]:
    return pod(name, state=RUNNING, ready=True, **values)
