"""The seed's own model on torch: weights from a claim, a photograph in, five scores out through the ingress."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import yaml

from cluster.info import ClusterInfo
from demo import stack
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl
from tests.e2e.objects import LAUNCHER, claim, filler

EXAMPLE = Path(__file__).parents[2] / "runtimes/examples/02-alexnet"


@pytest.fixture
def image(cluster: ClusterInfo, capfd: pytest.CaptureFixture[str]) -> str:
    """The example's image: built here, for no other test needs its gigabytes."""
    assert cluster.registry == "localhost:5000"
    with capfd.disabled():
        stack.alexnet_image()
    return stack.ALEXNET


def test_the_seeds_alexnet_answers_in_the_seeds_shape(kubectl: Kubectl, ingress: Ingress, image: str) -> None:
    service = yaml.safe_load((EXAMPLE / "isvc.yaml").read_text())
    container = service["spec"]["predictor"]["containers"][0]
    assert container["image"] == image
    kubectl.apply(claim("alexnet-weights", 512), filler("alexnet-weights", image))
    kubectl("wait", "--for=condition=Ready", "pod/fill-alexnet-weights", "--timeout=280s")
    made = kubectl("exec", "fill-alexnet-weights", "--", LAUNCHER, "--", "python", "make_weights.py", "/data")
    assert "244 MB" in made
    kubectl("delete", "pod", "fill-alexnet-weights")

    kubectl.apply(service)
    found = kubectl.wait_ready("custom-model", 240)
    request = runpy.run_path(str(EXAMPLE / "make_input.py"))["request"](str(EXAMPLE / "photo.jpg"))
    answer = ingress.predict(found, request["instances"])
    assert answer.status == 200, answer.body
    assert list(answer.body) == ["predictions"]
    (scores,) = answer.body["predictions"]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    again = ingress.predict(found, request["instances"])
    assert again.body == answer.body
