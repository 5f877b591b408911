"""The two ways in which the schema's tests reach a kube-apiserver, and the InferenceServices that they give it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config
from modelwright_operator.cluster.resources import INFERENCE_SERVICE, MODEL_IMAGE

from cluster import binaries
from tests.controlplane.api import Api, until

GROUP, VERSION, PLURAL = "serving.kserve.io", "v1beta1", "inferenceservices"
CRDS = Path(__file__).parents[2] / "crds"


@dataclass(frozen=True)
class Kubectl:
    """kubectl as a user runs it."""

    kubeconfig: Path
    namespace: str = "default"

    def __call__(self, *arguments: str, stdin: object = None) -> str:
        """Run kubectl, feed it `stdin` as JSON and return what it prints; its complaint is in the assertion."""
        command = [str(binaries.ensure("kubectl") / "kubectl"), f"--kubeconfig={self.kubeconfig}"]
        command += [f"--namespace={self.namespace}", *arguments]
        text = None if stdin is None else json.dumps(stdin)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str, stdin: object = None) -> Any:
        """Run kubectl and return the object that it prints."""
        return json.loads(self(*arguments, "--output=json", stdin=stdin))


class Admission:
    """What the kube-apiserver says to an InferenceService, without storing it and without kubectl's half second."""

    def __init__(self, kubeconfig: Path) -> None:
        self._objects = client.CustomObjectsApi(config.new_client_from_config(str(kubeconfig)))

    def accepted(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Return the object as it would be stored."""
        return self._objects.create_namespaced_custom_object(
            GROUP, VERSION, "default", PLURAL, obj, dry_run="All", field_validation="Strict"
        )

    def with_status(self, name: str, namespace: str, status: dict[str, Any], accept: str = "application/json") -> Any:
        """Return the object as it would be with this status, not storing it, lest a running operator answers."""
        return self._objects.patch_namespaced_custom_object_status(
            GROUP,
            VERSION,
            namespace,
            PLURAL,
            name,
            {"status": status},
            dry_run="All",
            _content_type="application/merge-patch+json",
            _headers={"Accept": accept},
        )

    def refusal(self, obj: dict[str, Any]) -> str:
        """Return why it is refused; fails where it is not."""
        try:
            accepted = self.accepted(obj)
        except client.ApiException as refused:
            return json.loads(refused.body)["message"]
        raise AssertionError(f"accepted: {accepted['spec']}")


def install_crds(kubectl: Kubectl) -> None:
    """Install the committed CRDs, or update them, and wait until they are served.

    Not with `kubectl wait`: it gives up on a CRD so new that it has no conditions yet.
    """
    kubectl("apply", "--server-side", "--force-conflicts", f"--filename={CRDS}")
    api = Api(kubectl.kubeconfig)
    until(lambda: api.serves(INFERENCE_SERVICE), seconds=30.0, what="InferenceServices served")
    until(lambda: api.serves(MODEL_IMAGE), seconds=30.0, what="ModelImages served")


def isvc(name: str = "schema-test", **predictor: Any) -> dict[str, Any]:
    """Return an InferenceService with one container, unless `predictor` brings its own."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {"predictor": {"containers": server(), **predictor}},
    }


def server(**container: Any) -> list[dict[str, Any]]:
    """Return a predictor's containers: the server's, with these fields besides name and image."""
    return [{"name": "kserve-container", "image": "x", **container}]
