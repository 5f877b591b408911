"""The CustomResourceDefinition that the models make."""

import json
from pathlib import Path

import pytest
import yaml
from modelwright_operator.api import SERVER_FIELDS, UNSUPPORTED
from modelwright_operator.api.crd import inference_service_crd, render
from modelwright_operator.api.structural import structural_schema
from modelwright_operator.api.workers import refused_fields
from pydantic import BaseModel

COMMITTED = Path(__file__).parents[4] / "crds" / "serving.kserve.io_inferenceservices.yaml"
LAST_APPLIED_LIMIT = 262144
LIMIT = 1_000_000

CRD = inference_service_crd()
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
PREDICTOR = SCHEMA["properties"]["spec"]["properties"]["predictor"]


def nodes(schema, path="$"):
    """Every schema node with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


def test_the_committed_file_is_what_the_models_make():
    assert COMMITTED.read_text(encoding="utf-8") == render(), "the CRD is stale: run make gen"


def test_the_rendered_yaml_is_the_crd():
    assert yaml.safe_load(render()) == CRD


def test_client_side_apply_can_keep_its_copy_in_an_annotation():
    assert len(json.dumps(CRD)) < LAST_APPLIED_LIMIT * 0.9


def test_the_file_is_small_enough_for_etcd():
    assert len(render()) < LIMIT


def test_names_are_kserves():
    names = CRD["spec"]["names"]
    assert CRD["metadata"]["name"] == "inferenceservices.serving.kserve.io"
    assert names["shortNames"] == ["isvc"]
    assert (names["kind"], names["listKind"]) == ("InferenceService", "InferenceServiceList")
    assert (names["plural"], names["singular"]) == ("inferenceservices", "inferenceservice")
    assert "categories" not in names


def test_every_node_has_a_type():
    untyped = [path for path, node in nodes(SCHEMA) if "type" not in node and "x-kubernetes-int-or-string" not in node]
    assert untyped == []


def test_only_refused_fields_and_kubernetes_own_open_ones_keep_unknown_keys():
    opened = {path for path, node in nodes(SCHEMA) if node.get("x-kubernetes-preserve-unknown-fields")}
    refused = [field.path for field in UNSUPPORTED]
    refused += [f"spec.predictor.workerSpec.{name}" for name in refused_fields()]
    allowed = {f"$.{path}{suffix}" for path in refused for suffix in ("", "[]")}
    assert opened - allowed == {"$.spec.predictor.volumes[].ephemeral.volumeClaimTemplate.metadata"}


def test_a_map_lists_keys_are_required_or_defaulted():
    for path, node in nodes(SCHEMA):
        for key in node.get("x-kubernetes-list-map-keys", ()):
            items = node["items"]
            assert key in items.get("required", ()) or "default" in items["properties"][key], f"{path} {key}"


@pytest.mark.parametrize("name", ["containers", "initContainers", "volumes", "imagePullSecrets"])
def test_lists_merge_by_the_key_that_kubernetes_uses(name):
    field = PREDICTOR["properties"][name]
    assert (field["x-kubernetes-list-type"], field["x-kubernetes-list-map-keys"]) == ("map", ["name"])


def test_env_and_ports_merge_by_the_keys_that_kubernetes_uses():
    container = PREDICTOR["properties"]["containers"]["items"]["properties"]
    assert container["env"]["x-kubernetes-list-map-keys"] == ["name"]
    assert container["ports"]["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert container["ports"]["items"]["properties"]["protocol"]["default"] == "TCP"


def _field(path):
    """The schema of a field of the predictor, by its path."""
    node = PREDICTOR
    for name in path.split("."):
        node = node["properties"][name]
    return node


def test_every_own_field_is_documented():
    status = SCHEMA["properties"]["status"]
    own = [(path, node) for path, node in nodes(status, "$.status") if not path.endswith("[]")]
    own += [(name, _field(name)) for name in (*SERVER_FIELDS, "batching", "storageUri", "timeout")]
    assert [path for path, node in own if not node.get("description")] == []


def test_every_rule_has_a_message_on_one_line():
    for path, node in nodes(SCHEMA):
        for rule in node.get("x-kubernetes-validations", ()):
            assert rule["message"].strip(), path
            assert "\n" not in rule["message"]


def test_a_refusal_names_the_field_and_the_remedy():
    for field in UNSUPPORTED:
        assert field.message == f"{field.path} is not supported: {field.reason}; {field.remedy}"
        assert field.reason
        assert field.remedy


def test_a_type_that_a_structural_schema_cannot_express_is_an_error():
    class Ambiguous(BaseModel):
        value: int | str

    with pytest.raises(ValueError, match="union"):
        structural_schema(Ambiguous)
