"""The ModelImage's CustomResourceDefinition that the models make."""

from pathlib import Path

import yaml
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.api.modelimage_crd import model_image

COMMITTED = Path(__file__).parents[4] / "crds" / "modelwright.dev_modelimages.yaml"
CRD = model_image().crd()
SPEC = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def test_the_committed_file_is_what_the_models_make():
    assert COMMITTED.read_text(encoding="utf-8") == model_image().render(), "the CRD is stale: run make gen"
    assert yaml.safe_load(model_image().render()) == CRD


def test_names_are_those_that_people_type():
    names = CRD["spec"]["names"]
    assert CRD["metadata"]["name"] == "modelimages.modelwright.dev"
    assert (names["kind"], names["plural"], names["shortNames"]) == ("ModelImage", "modelimages", ["mi"])


def test_env_and_resources_are_a_containers():
    build = SPEC["properties"]["build"]["properties"]
    assert build["env"]["items"]["properties"]["valueFrom"]["type"] == "object"
    assert "limits" in build["resources"]["properties"]


def test_every_field_says_what_it_is():
    def described(schema, path):
        for name, child in schema.get("properties", {}).items():
            # Kubernetes' own types describe themselves as far as they do.
            if (path, name) in {("build", "env"), ("build", "resources")}:
                continue
            assert child.get("description"), f"{path}.{name}"
            described(child, name)

    described(SPEC, "spec")


def test_what_is_left_away_has_its_default():
    made = ModelImage.model_validate(
        {"metadata": {"name": "iris"}, "spec": {"tag": "registry.example.com/iris", "source": {"storageUri": "s3://m"}}}
    )
    assert made.spec.service_account_name == "default"
    assert (made.spec.success_build_history_limit, made.spec.failed_build_history_limit) == (3, 3)
    assert made.spec.cache.volume is None
