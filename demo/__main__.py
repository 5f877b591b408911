"""`make demo`: from nothing to a prediction through the ingress, with each step shown and the last one repeatable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from cluster import packages
from cluster.info import ClusterError, ClusterInfo
from demo import stack
from demo.plan import StepFailed

EXAMPLE = stack.EXAMPLES / "01-iris"
READY_SECONDS = 180.0


class DemoFailed(Exception):
    """The service did not come up, or did not answer; the message says what was seen."""


def main() -> int:
    """Run the demo; 0 if a prediction came back."""
    began = time.monotonic()
    try:
        packages.require("curl")
        info = stack.up()
        answer = _predict(info)
    except (StepFailed, stack.CommandFailed, ClusterError, DemoFailed) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f"{answer}\n\nFrom nothing to a prediction in {minutes} min {seconds} s. Next:")
    print(f"  export KUBECONFIG={info.kubeconfig}  PATH={info.bin}:$PATH")
    print("  kubectl get isvc        kubectl describe isvc iris        make demo-down")
    return 0


def _predict(info: ClusterInfo) -> str:
    kubectl = (str(info.bin / "kubectl"), f"--kubeconfig={info.kubeconfig}", "--namespace=default")
    _show(*kubectl, "apply", "-f", str((EXAMPLE / "isvc.yaml").relative_to(stack.ROOT)))
    _wait(kubectl)
    _show(*kubectl, "get", "inferenceservice", "iris")
    host = urlsplit(_output(*kubectl, "get", "isvc", "iris", "-o", "jsonpath={.status.url}")).netloc
    request = ("curl", "--silent", "--show-error", "--fail-with-body", f"{info.ingress_url}/v1/models/iris:predict",
               "-H", f"Host: {host}",
               "-d", f"@{(EXAMPLE / 'input.json').relative_to(stack.ROOT)}")  # fmt: skip
    _settle(request)
    return _show(*request)


def _settle(request: tuple[str, ...]) -> None:
    """Wait until the ingress controller, which has watches of its own, has heard of the endpoints too."""
    for _ in range(40):
        if subprocess.run(request, cwd=stack.ROOT, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.25)


def _wait(kubectl: tuple[str, ...]) -> None:
    """Wait until the service is Ready, printing each new reason why it is not."""
    deadline, said = time.monotonic() + READY_SECONDS, ""
    while time.monotonic() < deadline:
        found = json.loads(_output(*kubectl, "get", "isvc", "iris", "-o", "json"))
        conditions = found.get("status", {}).get("conditions", [])
        ready: dict[str, str] = next((each for each in conditions if each["type"] == "Ready"), {})
        seen = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
        if seen and ready.get("status") == "True":
            return
        now = f"{ready.get('reason', 'waiting for the operator')}: {ready.get('message', '')}".rstrip(": ")
        if now != said:
            print(f"       iris  {now}", file=sys.stderr, flush=True)
            said = now
        time.sleep(0.5)
    raise DemoFailed(f"iris is not ready after {READY_SECONDS:.0f} s: {said}")


def _show(*words: str) -> str:
    """Run a command as a person would, printed before its output."""
    short = [Path(word).name if os.sep in word and Path(word).name == "kubectl" else word for word in words]
    plain = [word for word in short if not word.startswith(("--kubeconfig", "--namespace"))]
    print("$ " + " ".join(f"'{word}'" if " " in word else word for word in plain), flush=True)
    output = _output(*words)
    if words[0] != "curl":
        print(output, end="", flush=True)
    return output


def _output(*words: str) -> str:
    done = subprocess.run(words, cwd=stack.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoFailed(f"{' '.join(words)}: {done.stderr}{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
