"""The whole stack on the test Kubernetes: cluster, images, operator; the demo and the end-to-end tests stand on it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from buildpacks.registry import digest
from cluster.info import ClusterInfo, NotRunningError
from cluster.provider import current, detect
from demo.plan import Step, run

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "runtimes/examples"
NAMESPACE = "modelwright-system"
OPERATOR = "localhost:5000/modelwright/modelwright"
IRIS = "localhost:5000/modelwright/iris:dev"
ALEXNET = "localhost:5000/modelwright/alexnet:dev"
_WIDTH = 14


class CommandFailed(Exception):
    """A command of the plan failed; its own output says why."""


def is_up() -> bool:
    """Say whether a test Kubernetes runs already."""
    try:
        current().info()
    except NotRunningError:
        return False
    return True


def up() -> ClusterInfo:
    """Bring up all that is missing, images and Kubernetes side by side; raises StepFailed, naming the step."""
    run(steps())
    return current().info()


def down() -> None:
    """Remove every trace of it."""
    command("cluster", "down")


def steps() -> list[Step]:
    """Return the plan: what needs what, and nothing that is not used."""
    return [
        _step("image tools", "cluster", "binaries", "pack", "lifecycle", "launcher"),
        _step("registry", "cluster", "registry"),
        _step("kubernetes", "cluster", "up", needs=("registry",)),
        _step("builder", "buildpacks.builder", needs=("image tools", "registry")),
        _step("operator image", "buildpacks.build", str(ROOT), f"{OPERATOR}:dev", needs=("builder",)),
        _step("iris image", "buildpacks.build", str(EXAMPLES / "01-iris"), IRIS, needs=("builder",)),
        _step("helm", "cluster", "binaries", "helm", needs=("image tools",)),
        Step("operator", install, needs=("kubernetes", "operator image", "helm")),
    ]


def alexnet_image() -> None:
    """Build the AlexNet image, gigabytes of it, unless the registry has it."""
    command("buildpacks.build", str(EXAMPLES / "02-alexnet"), ALEXNET, label="alexnet image")


def _step(name: str, module: str, *arguments: str, needs: tuple[str, ...] = ()) -> Step:
    return Step(name, lambda: command(module, *arguments, label=name), needs)


def install(**changes: str) -> None:
    """Install or upgrade the chart with the image of this tree; `changes` are further values, by their paths.

    Returns when the operator is ready.
    """
    info = current().info()
    values = {
        "image.repository": OPERATOR,
        "image.digest": digest(f"{OPERATOR}:dev") or "",
        "settings.ingressClassName": info.ingress_class_name or "",
        "settings.insecureRegistries": f"{{{info.pod_registry or ''}}}",
        **changes,
    }
    pairs = [f"--set={name}={value}" for name, value in values.items()]
    chart = str(ROOT / "charts/modelwright")
    _helm("upgrade", "--install", "--create-namespace", "modelwright", chart, "--wait", "--timeout=3m", *pairs)


def uninstall() -> None:
    """Take the operator away; CRDs and what it made stay."""
    _helm("uninstall", "modelwright", "--wait", "--timeout=2m")


def _helm(*arguments: str) -> None:
    info = current().info()
    _run([str(info.bin / "helm"), f"--kubeconfig={info.kubeconfig}", f"--namespace={NAMESPACE}", *arguments])


def node_address() -> str:
    """Address of this machine that pods reach."""
    return detect().host_address()


def command(module: str, *arguments: str, label: str = "") -> str:
    """Run `python -m module`, return its output; with a label, what it says on stderr is shown behind that."""
    return _run([sys.executable, "-m", module, *arguments], label)


def _run(words: list[str], label: str = "") -> str:
    """Run a command to its end; what it says is shown as it comes where there is a label, and kept for the error."""
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: list[str] = []

    def listen() -> None:
        for line in process.stderr or ():
            said.append(line)
            if label:
                print(f"       {label:{_WIDTH}}  {line}", end="", file=sys.stderr, flush=True)

    listener = threading.Thread(target=listen)
    listener.start()
    output = process.stdout.read() if process.stdout else ""
    listener.join()
    if process.wait():
        # What was shown already is not repeated.
        details = "its last lines are above" if label else f"\n{''.join(said[-20:])}{output[-2000:]}"
        raise CommandFailed(f"`{' '.join(words[1:])}` failed: {details}")
    return output
