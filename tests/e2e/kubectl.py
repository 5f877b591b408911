"""kubectl against the test cluster: what a user would type, and waits that say what they waited for."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")


@dataclass(frozen=True)
class Kubectl:
    """One namespace of one cluster."""

    binary: Path
    kubeconfig: str
    namespace: str = "default"

    def __call__(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl; standard output, or with check=False both streams whatever the exit status."""
        command = [str(self.binary), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300, check=False)
        if not check:
            return done.stdout + done.stderr
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, *objects: dict[str, Any] | str, check: bool = True) -> str:
        text = "\n---\n".join(each if isinstance(each, str) else yaml.safe_dump(each) for each in objects)
        return self("apply", "-f", "-", stdin=text, check=check)

    def get(self, *what: str) -> dict[str, Any]:
        return json.loads(self("get", *what, "-o", "json"))

    def find(self, *what: str) -> dict[str, Any] | None:
        text = self("get", *what, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def items(self, *what: str) -> list[dict[str, Any]]:
        return self.get(*what)["items"]

    def isvc(self, name: str) -> dict[str, Any]:
        return self.get("inferenceservice", name)

    def condition(self, name: str, type_: str = "Ready") -> dict[str, Any]:
        """The condition of an InferenceService, or an empty dict while it is not there."""
        conditions = self.isvc(name).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == type_), {})

    def wait_ready(self, name: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until the controller has seen the newest spec and says Ready; returns the object."""

        def ready() -> dict[str, Any] | None:
            found = self.isvc(name)
            seen = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
            return found if seen and self.condition(name).get("status") == "True" else None

        return until(ready, seconds, lambda: f"{name} is not Ready: {self.isvc(name).get('status')}")

    def wait_reason(self, name: str, reason: str, seconds: float = 60, type_: str = "Ready") -> dict[str, Any]:
        """Wait until a condition is not True for this reason; returns the condition."""

        def said() -> dict[str, Any] | None:
            found = self.condition(name, type_)
            return found if found.get("reason") == reason and found["status"] != "True" else None

        return until(said, seconds, lambda: f"{name} never said {reason}: {self.isvc(name).get('status')}")


def until(probe: Callable[[], T | None], seconds: float, why: Callable[[], str], every: float = 0.25) -> T:
    """The probe's first answer that is neither None nor False, within `seconds`; else fails with `why`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        time.sleep(every)
    raise AssertionError(f"after {seconds} s: {why()}")
