"""The phases of a build as conditions, with the failing step's last words."""

import re
from collections.abc import Mapping
from typing import Any

from modelwright_operator.observed.build.outcome import JobState, container_status, timed_out
from modelwright_operator.observed.conditions import Condition
from modelwright_operator.observed.scheduling import scheduling_failure
from modelwright_operator.observed.text import MESSAGE_LIMIT, shortened
from modelwright_operator.observed.waiting import waiting_failure

PHASES = {
    "fetch": "Fetched",
    "analyze": "Analyzed",
    "detect": "Detected",
    "restore": "Restored",
    "build": "Built",
    "export": "Exported",
}
"""The building Job's containers, in the order in which they run, and their conditions."""

_DIGEST = re.compile(r'^\s*digest = "(sha256:[0-9a-f]{64})"', re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LINES = 12
_REASONS = {
    "fetch": ("FetchFailed", "the source cannot be fetched"),
    "analyze": ("AnalyzeFailed", "the registry cannot be used, or an image in it"),
    "detect": ("DetectFailed", "no buildpack takes this folder"),
    "restore": ("RestoreFailed", "the layers of the last build cannot be restored"),
    "build": ("BuildFailed", "a buildpack failed"),
    "export": ("ExportFailed", "the image cannot be pushed"),
}


def image_digest(report: str) -> str | None:
    """Return the image's digest in the exporter's report.toml, which may have lost its beginning; None without one."""
    found = _DIGEST.search(report)
    return found[1] if found else None


def phases(job: Mapping[str, Any], pod: Mapping[str, Any] | None, state: JobState) -> list[Condition]:
    """Return a condition for each phase of a build."""
    if pod is None:
        return _without_pod(job, state)
    conditions: list[Condition] = []
    for name, kind in PHASES.items():
        earlier = conditions[-1] if conditions else None
        if earlier and earlier.status != "True":
            conditions.append(Condition(kind, "Unknown", "Waiting", f"after {earlier.type}"))
        else:
            conditions.append(_phase(name, kind, job, pod, state))
    return conditions


def _phase(name: str, kind: str, job: Mapping[str, Any], pod: Mapping[str, Any], state: JobState) -> Condition:
    status = container_status(pod, name)
    if ended := (status.get("state") or {}).get("terminated"):
        if ended.get("exitCode") == 0:
            return Condition(kind, "True", "Succeeded")
        return _failed(name, kind, job, pod, ended)
    if state == "failed":
        return _given_up(kind, job, f"{name} had not ended")
    if failure := scheduling_failure(pod):
        return Condition(kind, "False" if failure.blocking else "Unknown", failure.reason, failure.message)
    if waiting := (status.get("state") or {}).get("waiting"):
        failure = waiting_failure(str(pod["metadata"]["name"]), name, str(status.get("image", "")), waiting)
        if failure:
            return Condition(kind, "False", failure.reason, failure.message)
    running = "running" in (status.get("state") or {})
    return Condition(kind, "Unknown", "Running" if running else "Starting", f"pod {pod['metadata']['name']}")


def _failed(
    name: str, kind: str, job: Mapping[str, Any], pod: Mapping[str, Any], ended: Mapping[str, Any]
) -> Condition:
    place = f"pod {pod['metadata']['name']}, container {name}"
    if timed_out(job):
        return _given_up(kind, job, place)
    if ended.get("reason") == "OOMKilled":
        field = (
            "the operator's storageInitializerMemoryLimit" if name == "fetch" else "spec.build.resources.limits.memory"
        )
        return Condition(kind, "False", "OOMKilled", f"{place}: it used more memory than it may. Raise {field}.")
    reason, cause = _REASONS[name]
    said = last_lines(str(ended.get("message") or ""))
    remedy = "" if said else f" Read its log: kubectl logs {pod['metadata']['name']} -c {name}."
    text = f"{place}: {cause} (exit code {ended.get('exitCode')}).{remedy}"
    return Condition(kind, "False", reason, f"{text}\n{said}" if said else text)


def last_lines(log: str, limit: int = MESSAGE_LIMIT - 200) -> str:
    """Return the end of a log as it was, without colours and empty lines."""
    lines = [line.rstrip() for line in _COLOURS.sub("", log).splitlines() if line.strip()]
    return shortened("\n".join(lines[-_LINES:]), limit)


def _without_pod(job: Mapping[str, Any], state: JobState) -> list[Condition]:
    if state == "succeeded":
        return [Condition(kind, "True", "Succeeded") for kind in PHASES.values()]
    if state == "failed":
        first, *rest = PHASES.values()
        waiting = [Condition(kind, "Unknown", "Waiting", f"after {first}") for kind in rest]
        return [_given_up(first, job, "its pod is gone"), *waiting]
    text = f"for the build's pod; where it stays away: kubectl describe job {job['metadata']['name']}"
    return [Condition(kind, "Unknown", "Waiting", text) for kind in PHASES.values()]


def _given_up(kind: str, job: Mapping[str, Any], place: str) -> Condition:
    if timed_out(job):
        text = f"{place}: the build took too long. Raise spec.build.timeoutSeconds, or keep layers with spec.cache."
        return Condition(kind, "False", "BuildTimedOut", text)
    conditions = (job.get("status") or {}).get("conditions") or []
    said = next((str(each.get("message")) for each in conditions if each.get("type") == "Failed"), "")
    text = f"{place}: {said or 'the Job failed'}. Build again: kubectl annotate --overwrite modelimage"
    return Condition(kind, "False", "BuildLost", f"{text} NAME modelwright.dev/rebuild=1")
