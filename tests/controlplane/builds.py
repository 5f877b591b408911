"""ModelImages and the kubelet's part of their Jobs, written by the test."""

from __future__ import annotations

import json
from typing import Any

from modelwright_operator.cluster.resources import JOB, MODEL_IMAGE, POD

from tests.controlplane.api import Api, until

PHASES = ("fetch", "analyze", "detect", "restore", "build", "export")
TAG = "registry.example.com/models/iris:latest"
BUILDER = "registry.example.com/builder:1"
SOURCE = {"registry": {"image": "registry.example.com/models/iris:source"}}


def facts(source: str = "registry.example.com/models/iris@sha256:" + "1" * 64, **changes: Any) -> str:
    """What the resolving container says."""
    told = {
        "source": source,
        "builder": "registry.example.com/builder@sha256:" + "b" * 64,
        "run_image": "registry.example.com/run@sha256:" + "c" * 64,
        "uid": 1000,
        "gid": 1000,
        "platform_api": "0.13",
    }
    return json.dumps({**told, **changes})


def report(digest: str) -> str:
    """The exporter's report.toml."""
    return f'[build]\n\n[image]\n  tags = ["{TAG}"]\n  digest = "sha256:{digest * 64}"\n  manifest-size = 1083\n'


def image(name: str = "iris", *, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": MODEL_IMAGE.api_version,
        "kind": MODEL_IMAGE.kind,
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"tag": TAG, "builder": BUILDER, "source": SOURCE, **spec},
    }


class Builds:
    """A namespace's ModelImages."""

    def __init__(self, admin: Api, namespace: str) -> None:
        self.admin, self.namespace = admin, namespace

    def create(self, name: str = "iris", **spec: Any) -> dict[str, Any]:
        return self.admin.create(MODEL_IMAGE, self.namespace, image(name, **spec))

    def status(self, name: str = "iris") -> dict[str, Any]:
        return self.admin.get(MODEL_IMAGE, self.namespace, name).get("status") or {}

    def condition(self, kind: str = "Ready", name: str = "iris") -> dict[str, Any]:
        return next((each for each in self.status(name).get("conditions", []) if each["type"] == kind), {})

    def jobs(self, step: str) -> list[dict[str, Any]]:
        found = [
            job
            for job in self.admin.items(JOB, self.namespace)
            if job["metadata"]["labels"].get("modelwright.dev/build-step") == step
            and "deletionTimestamp" not in job["metadata"]
        ]
        return sorted(found, key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"]))

    def unfinished(self, step: str) -> dict[str, Any]:
        """The Job of this kind that runs, with its pod."""

        def look() -> dict[str, Any] | None:
            running = [job for job in self.jobs(step) if not (job.get("status") or {}).get("conditions")]
            return running[-1] if running else None

        return until(look, what=f"a {step} Job that runs")

    def pod(self, job: dict[str, Any]) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            uid = job["metadata"]["uid"]
            pods = self.admin.items(POD, self.namespace)
            return next((pod for pod in pods if pod["metadata"]["ownerReferences"][0]["uid"] == uid), None)

        return until(look, what=f"the pod of {job['metadata']['name']}")

    def resolve(self, message: str | None = None, *, fails: bool = False) -> None:
        """End the resolving Job."""
        pod = self.pod(self.unfinished("resolve"))
        text = message if message is not None else facts()
        self.end(pod, [], [ended("resolve", 1 if fails else 0, text)], "Failed" if fails else "Succeeded")

    def build(self, digest: str) -> dict[str, Any]:
        """End the building Job with an image of this digest."""
        job = self.unfinished("build")
        before = [ended(name) for name in PHASES[:-1]]
        self.end(self.pod(job), before, [ended("export", 0, report(digest))], "Succeeded")
        return job

    def fail(self, phase: str, log: str, exit_code: int = 51) -> dict[str, Any]:
        """End the building Job in one of its phases."""
        job = self.unfinished("build")
        at = PHASES.index(phase)
        states = [ended(name) for name in PHASES[:at]] + [ended(phase, exit_code, log)]
        states += [waiting(name) for name in PHASES[at + 1 :]]
        self.end(self.pod(job), states[:-1], states[-1:], "Failed")
        return job

    def end(self, pod: dict[str, Any], before: list[Any], last: list[Any], phase: str) -> None:
        status = {"phase": phase, "initContainerStatuses": before, "containerStatuses": last}
        self.admin.merge_status(POD, self.namespace, pod["metadata"]["name"], status)
        job = pod["metadata"]["ownerReferences"][0]["name"]

        def over() -> bool:
            found = self.admin.find(JOB, self.namespace, job)
            kinds = {each["type"] for each in ((found or {}).get("status") or {}).get("conditions") or []}
            return found is None or bool(kinds & {"Complete", "Failed"})

        until(over, what=f"the end of Job {job}")

    def latest(self, digest: str, name: str = "iris") -> None:
        """Wait until the image has this digest."""
        wanted = f"registry.example.com/models/iris@sha256:{digest * 64}"
        until(lambda: self.status(name).get("latestImage") == wanted, what=f"latestImage {digest}")

    def says(self, reason: str, kind: str = "Ready", name: str = "iris") -> dict[str, Any]:
        until(lambda: self.condition(kind, name).get("reason") == reason, what=f"{kind} {reason}")
        return self.condition(kind, name)


def ended(name: str, exit_code: int = 0, message: str = "") -> dict[str, Any]:
    now = "2026-01-01T00:00:00Z"
    terminated = {"exitCode": exit_code, "startedAt": now, "finishedAt": now, "reason": "Completed", "message": message}
    return container(name) | {"state": {"terminated": terminated}}


def waiting(name: str) -> dict[str, Any]:
    return container(name) | {"state": {"waiting": {"reason": "PodInitializing"}}}


def container(name: str) -> dict[str, Any]:
    return {"name": name, "ready": False, "restartCount": 0, "image": "x", "imageID": ""}
