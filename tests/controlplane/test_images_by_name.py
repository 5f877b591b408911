"""Services whose image is a ModelImage's, or kpack's: they run its digest and follow it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from modelwright_operator.cluster.resources import DEPLOYMENT, INFERENCE_SERVICE, KPACK_IMAGE, MODEL_IMAGE, Resource

from tests.controlplane.api import Api, condition, isvc, until
from tests.controlplane.builds import facts
from tests.controlplane.operator_process import OperatorProcess

pytestmark = pytest.mark.usefixtures("operator")

IMAGE = "registry.example.com/models/iris"


def named(name: str = "iris") -> dict[str, Any]:
    return {"containers": [{"name": "kserve-container", "image": f"modelimage://{name}"}]}


def running_image(admin: Api, namespace: str) -> str:
    found = admin.find(DEPLOYMENT, namespace, "m-predictor")
    return found["spec"]["template"]["spec"]["containers"][0]["image"] if found else ""


def test_a_service_runs_the_digest_and_rolls_when_it_moves(builds, admin, namespace):
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", **named()))

    def reason() -> str | None:
        return condition(admin.get(INFERENCE_SERVICE, namespace, "m")).get("reason")

    until(lambda: reason() == "ImageMissing", what="ImageMissing")
    told = condition(admin.get(INFERENCE_SERVICE, namespace, "m"))["message"]
    assert "ModelImage iris does not exist; create it in" in told
    builds.create()
    until(lambda: reason() == "ImageNotBuilt", what="ImageNotBuilt")
    assert admin.find(DEPLOYMENT, namespace, "m-predictor") is None
    builds.resolve()
    builds.build("d")
    until(lambda: running_image(admin, namespace) == f"{IMAGE}@sha256:{'d' * 64}", what="the first digest")
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"source": {"registry": {"image": f"{IMAGE}:two"}}}})
    builds.resolve(facts(f"{IMAGE}@sha256:{'2' * 64}"))
    builds.build("e")
    until(lambda: running_image(admin, namespace) == f"{IMAGE}@sha256:{'e' * 64}", what="the second digest")


def test_a_service_keeps_its_image_when_the_next_build_fails_and_when_the_model_image_goes(builds, admin, namespace):
    builds.create()
    builds.resolve()
    builds.build("d")
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", **named()))
    until(lambda: running_image(admin, namespace) == f"{IMAGE}@sha256:{'d' * 64}", what="the digest")
    admin.merge(MODEL_IMAGE, namespace, "iris", {"metadata": {"annotations": {"modelwright.dev/rebuild": "1"}}})
    builds.fail("build", "ERROR: no")

    def outdated() -> dict[str, Any]:
        return condition(admin.get(INFERENCE_SERVICE, namespace, "m"), "ImageOutdated")

    until(lambda: outdated().get("status") == "True", what="ImageOutdated")
    assert "ModelImage iris keeps its last image" in outdated()["message"]
    assert running_image(admin, namespace) == f"{IMAGE}@sha256:{'d' * 64}"
    admin.delete(MODEL_IMAGE, namespace, "iris")
    until(
        lambda: condition(admin.get(INFERENCE_SERVICE, namespace, "m")).get("reason") == "ImageMissing",
        what="ImageMissing",
    )
    assert running_image(admin, namespace) == f"{IMAGE}@sha256:{'d' * 64}"


KPACK_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "images.kpack.io"},
    "spec": {
        "group": "kpack.io",
        "names": {"kind": "Image", "plural": "images", "singular": "image", "listKind": "ImageList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha2",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
"""As much of kpack's own as its Image needs to be stored."""


@pytest.fixture
def kpack(admin: Api, operator: OperatorProcess, operator_kubeconfig: Path, tmp_path: Path) -> Iterator[None]:
    """kpack's kind, and an operator that starts where it is: the other one looks for it every few minutes."""
    crds = Resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions")
    admin.create(crds, None, KPACK_CRD)
    until(lambda: admin.serves(KPACK_IMAGE), what="kpack's Images served")
    assert operator.stop() == 0, operator.log
    process = OperatorProcess(operator_kubeconfig, tmp_path / "operator.log")
    process.start()
    yield
    assert process.stop() == 0, process.log
    admin.delete(crds, None, "images.kpack.io")
    operator.start()


def test_a_service_follows_kpacks_image_where_kpack_is(admin, namespace, kpack):
    container = {"name": "kserve-container", "image": "kpack://iris"}
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", containers=[container]))

    def reason() -> str | None:
        return condition(admin.get(INFERENCE_SERVICE, namespace, "m")).get("reason")

    until(lambda: reason() == "ImageMissing", what="ImageMissing")
    assert "kpack Image iris does not exist" in condition(admin.get(INFERENCE_SERVICE, namespace, "m"))["message"]
    admin.create(KPACK_IMAGE, namespace, {"metadata": {"name": "iris"}, "spec": {}})
    for digest in ("d", "e"):
        built = f"{IMAGE}@sha256:{digest * 64}"
        admin.merge_status(KPACK_IMAGE, namespace, "iris", {"latestImage": built})
        until(lambda wanted=built: running_image(admin, namespace) == wanted, what=f"kpack's image {digest}")
