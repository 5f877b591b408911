"""Kubernetes' OpenAPI, reduced to what the CRD needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.api.openapi import DESCRIPTION_LIMIT, reduce_document, short_name, shorten
from modelwright_operator.api.podspec import definitions

POD = "io.k8s.api.core.v1.PodSpec"
STRATEGY = "io.k8s.api.apps.v1.DeploymentStrategy"


def document(**schemas):
    return {
        "info": {"version": "v1.34.4"},
        "components": {"schemas": {STRATEGY: {"type": "object"}, **schemas}},
    }


def reduced(**schemas):
    return reduce_document(document(**schemas))["definitions"]


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def test_types_that_the_pod_does_not_reach_are_left_out():
    pod = {"type": "object", "properties": {"a": {"allOf": [ref("k8s.A")], "default": {}}}}
    result = reduced(**{POD: pod, "k8s.A": {"type": "string"}, "k8s.Unused": {"type": "string"}})
    assert set(result) == {"PodSpec", "DeploymentStrategy", "A"}
    assert result["PodSpec"]["properties"]["a"] == {"$ref": "A"}


def test_ephemeral_containers_and_all_that_only_they_use_are_left_out():
    pod = {"type": "object", "properties": {"ephemeralContainers": {"type": "array", "items": ref("k8s.E")}}}
    result = reduced(**{POD: pod, "k8s.E": {"type": "object"}})
    assert result["PodSpec"]["properties"] == {}
    assert "E" not in result


def test_defaults_and_patch_strategies_are_dropped_and_list_types_kept():
    pod = {
        "type": "object",
        "properties": {
            "l": {
                "type": "array",
                "items": {"type": "string", "default": ""},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-strategy": "merge",
            }
        },
    }
    assert reduced(**{POD: pod})["PodSpec"]["properties"]["l"] == {
        "type": "array",
        "items": {"type": "string"},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }


def test_a_document_of_another_group_is_refused():
    with pytest.raises(KeyError, match="PodSpec"):
        reduced()


def test_short_names():
    assert short_name("#/components/schemas/io.k8s.api.core.v1.Container") == "Container"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Short.", "Short."),
        ("Two lines\n  of text.", "Two lines of text."),
        ("One. Two. " + "x" * 300, "One. Two."),
        ("word " * 60, ("word " * 39).strip() + "..."),
    ],
)
def test_a_description_keeps_whole_sentences(text, want):
    assert shorten(text) == want


@given(st.text(min_size=1))
def test_no_description_is_longer_than_the_limit(text):
    assert len(shorten(text * 50)) <= DESCRIPTION_LIMIT


def test_the_committed_schemas_are_complete():
    """Every reference leads somewhere, and the types that users write most are there."""

    def references(schema):
        if isinstance(schema, dict):
            for key, value in schema.items():
                yield from [value] if key == "$ref" else references(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from references(value)

    assert set(references(definitions())) <= definitions().keys()
    assert {"Container", "Volume", "Probe", "Affinity", "ResourceRequirements"} <= definitions().keys()
