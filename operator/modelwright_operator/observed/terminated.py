"""Containers that ended: why, and what to do. By `state.terminated` or `lastState.terminated`."""

import re
from collections.abc import Mapping
from typing import Any

from modelwright_operator import labels
from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.text import last_lines

CANNOT_START = "CannotStart"
COMMAND_FAILED = "its command cannot be run"
COMMAND_REMEDY = "Check command and args, and that the image has that program"

_RUNTIME = re.compile(r"^.*unable to start container process: |: unknown$")
_SIGNALS = {6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}


def terminated_failure(pod: str, spec: Mapping[str, Any], ended: Mapping[str, Any], *, init: bool) -> Failure:
    """Return the failure of a container that ended although it should run, or an init container that failed."""
    name = str(spec.get("name", ""))
    code = int(ended.get("exitCode", 0))
    log = str(ended.get("message", "")).strip()
    reason, cause, remedy = _explained(pod, spec, ended, init=init)
    if log:
        cause += f": {last_lines(_RUNTIME.sub('', log))}"
    return Failure(
        reason=reason,
        cause=cause.rstrip("."),
        remedy=remedy,
        pod=pod,
        container=name,
        kind="ModelLoadFailed" if name in (labels.MAIN_CONTAINER, labels.INITIALIZER) else "RuntimeUnhealthy",
        exit_code=code,
        detail=log,
        time=ended.get("finishedAt"),
    )


def _explained(pod: str, spec: Mapping[str, Any], ended: Mapping[str, Any], *, init: bool) -> tuple[str, str, str]:
    """Return reason, cause and remedy."""
    name, code = str(spec.get("name", "")), int(ended.get("exitCode", 0))
    if ended.get("reason") == "OOMKilled":
        limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
        cause = f"it used more memory than its limit of {limit}" if limit else "its node ran out of memory"
        return "OOMKilled", cause, f"Raise resources.limits.memory of {name}, or load a smaller model"
    if ended.get("reason") in ("StartError", "ContainerCannotRun") or code in (126, 127):
        return CANNOT_START, COMMAND_FAILED, COMMAND_REMEDY
    if name == labels.INITIALIZER:
        # Its log ends with a remedy of its own, which knows more.
        remedy = f"Read the log: kubectl logs {pod} -c {name}"
        return "StorageInitializerFailed", f"the weights could not be fetched (exit code {code})", remedy
    if init:
        return "InitContainerFailed", _ended(code), f"Read the log: kubectl logs {pod} -c {name}"
    if code == 0:
        return "CrashLoopBackOff", "it ended by itself", "A model server must keep running: check the command"
    return "CrashLoopBackOff", _ended(code), _crash_remedy(pod, spec, code)


def _ended(code: int) -> str:
    signal = _SIGNALS.get(code - 128)
    return f"it was ended by {signal} (exit code {code})" if signal else f"it exited with code {code}"


def _crash_remedy(pod: str, spec: Mapping[str, Any], code: int) -> str:
    if code in (137, 143) and ("livenessProbe" in spec or "startupProbe" in spec):
        return f"Its liveness or startup probe may have failed, or it ran out of memory: kubectl describe pod {pod}"
    return f"Read the log: kubectl logs {pod} -c {spec.get('name')} --previous"


def without_runtime(text: str) -> str:
    """Return what runc says, without the layers of software that passed it on."""
    return _RUNTIME.sub("", text)
