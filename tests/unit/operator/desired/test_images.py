"""Images by name: what becomes of `modelimage://NAME` and `kpack://NAME`."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator import desired
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.images import Images, ImageSink
from modelwright_operator.desired.images import BuiltImage, image_of, outdated

from tests.unit.operator.desired.build import isvc, settings

DIGEST = "registry.example.com/models/iris@sha256:" + "d" * 64
NAMED = isvc(container={"image": "modelimage://iris"})


def inputs(**built: BuiltImage | None) -> desired.Inputs:
    return desired.Inputs(images={f"modelimage://{name}": value for name, value in built.items()})


def found(built: BuiltImage | None) -> list[desired.Problem]:
    return desired.problems(NAMED, settings(), inputs(iris=built))


def test_a_built_image_runs_by_its_digest_in_every_container():
    predictor = {
        "containers": [
            {"name": "kserve-container", "image": "modelimage://iris"},
            {"name": "side", "image": "modelimage://side"},
        ],
        "initContainers": [{"name": "first", "image": "modelimage://iris"}, {"name": "other", "image": "x:1"}],
    }
    made = isvc(predictor)
    given = inputs(iris=BuiltImage(DIGEST), side=BuiltImage("registry.example.com/side@sha256:1"))
    assert desired.problems(made, settings(), given) == []
    pod = desired.children(made, settings(), given)[1]["spec"]["template"]["spec"]
    assert [each["image"] for each in pod["containers"]] == [DIGEST, "registry.example.com/side@sha256:1"]
    assert [each["image"] for each in pod["initContainers"]] == [DIGEST, "x:1"]


def test_a_digest_that_moves_rolls_and_nothing_else_does():
    def deployment(built: BuiltImage) -> dict[str, Any]:
        return desired.children(NAMED, settings(), inputs(iris=built))[1]

    first = deployment(BuiltImage(DIGEST))
    assert not desired.would_roll(first, deployment(BuiltImage(DIGEST, "BuildFailed", "no", failed=True)))
    assert desired.would_roll(first, deployment(BuiltImage(DIGEST.replace("d" * 64, "e" * 64))))


@pytest.mark.parametrize(
    ("built", "reason", "blocking", "told"),
    [
        (None, "ImageMissing", True, "ModelImage iris does not exist; create it in ns, or correct the name"),
        (BuiltImage(reason="Building"), "ImageNotBuilt", False, "ModelImage iris is not built yet (Building)"),
        (BuiltImage(), "ImageNotBuilt", False, "not built yet (nothing said so far)"),
        (
            BuiltImage(reason="BuildFailed", message="a buildpack failed.", failed=True),
            "ImageBuildFailed",
            True,
            "ModelImage iris could not be built: a buildpack failed; see: kubectl describe modelimage iris",
        ),
    ],
)
def test_an_image_that_is_not_there_is_a_problem_with_its_name(built, reason, blocking, told):
    (problem,) = found(built)
    assert problem.field == "spec.predictor.containers[kserve-container].image"
    assert (problem.reason, problem.blocking) == (reason, blocking)
    assert told in problem.message


def test_the_last_image_serves_on_when_the_next_failed_and_that_is_said():
    failed = BuiltImage(DIGEST, "BuildFailed", "a buildpack failed", failed=True)
    assert found(failed) == []
    (told,) = outdated(NAMED.predictor, {"modelimage://iris": failed})
    assert "ModelImage iris keeps its last image" in told
    assert outdated(NAMED.predictor, {"modelimage://iris": BuiltImage(DIGEST)}) == []


@pytest.mark.parametrize("reference", ["registry.example.com/iris:1", "iris", "oci://x/y", ""])
def test_any_other_reference_stays_as_it_is(reference):
    assert image_of(reference, {}) == reference


def image(name: str, version: int = 1, **status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "ns", "name": name, "resourceVersion": str(version)}, "status": status}


def test_only_what_matters_to_services_wakes_them():
    images = Images()
    sink = ImageSink(images, "modelimage", lambda _: [Key("ns", "m")])
    building = [{"type": "Ready", "status": "Unknown", "reason": "Building", "message": "is at Fetched"}]
    assert list(sink.put(image("iris", conditions=building))) == [Key("ns", "m")]
    later = [{**building[0], "message": "is at Built"}]
    assert list(sink.put(image("iris", conditions=later))) == []
    assert list(sink.put(image("iris", conditions=later, latestImage=DIGEST))) == [Key("ns", "m")]
    assert images.of(NAMED) == {"modelimage://iris": BuiltImage(DIGEST, "Building")}
    assert sink.known("ns") == [("ns", "iris")]
    assert list(sink.drop("ns", "iris", 9)) == [Key("ns", "m")]
    assert list(sink.drop("ns", "iris", 9)) == []
    assert images.of(NAMED) == {"modelimage://iris": None}


def test_kpacks_images_and_ours_do_not_meet():
    images = Images()
    images.put("kpack", image("iris", latestImage=DIGEST))
    assert images.of(NAMED) == {"modelimage://iris": None}
    assert images.of(isvc(container={"image": "kpack://iris"})) == {"kpack://iris": BuiltImage(DIGEST)}
