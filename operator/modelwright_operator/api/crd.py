"""The InferenceService's CustomResourceDefinition, made from the models.

    python -m modelwright_operator.api.crd > crds/serving.kserve.io_inferenceservices.yaml

A test fails while the committed file is another.
"""

import sys
from collections.abc import Iterable
from typing import Any

import yaml

from modelwright_operator.api import podspec
from modelwright_operator.api.inferenceservice import GROUP, KIND, PLURAL, VERSION, InferenceServiceSpec
from modelwright_operator.api.predictor import PredictorSpec
from modelwright_operator.api.rule import Rule
from modelwright_operator.api.rules import FIELD_RULES, PREDICTOR_RULES, SPEC_RULES
from modelwright_operator.api.status import InferenceServiceStatus
from modelwright_operator.api.structural import Schema, structural_schema
from modelwright_operator.api.unsupported import UNSUPPORTED, Owner, Unsupported

_VALIDATIONS = "x-kubernetes-validations"

COLUMNS = (
    {"name": "URL", "type": "string", "jsonPath": ".status.url"},
    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
    {"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].reason"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)
"""What `kubectl get isvc` prints beside the name."""


def inference_service_crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition, ready to be written as YAML."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": "inferenceservice",
                "shortNames": ["isvc"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": list(COLUMNS),
                    "schema": {"openAPIV3Schema": _object_schema()},
                }
            ],
        },
    }


def _object_schema() -> Schema:
    return {
        "description": "InferenceService serves a model: it becomes a Deployment, a Service, an autoscaler "
        "and a route.",
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": KIND},
            # Only so that a rule's message can point at it: Kubernetes has metadata's own schema.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": _spec_schema(),
            "status": structural_schema(InferenceServiceStatus),
        },
        _VALIDATIONS: _render(SPEC_RULES),
    }


def _spec_schema() -> Schema:
    schema = structural_schema(InferenceServiceSpec)
    schema["properties"] = {"predictor": _predictor_schema()} | _refused("spec")
    return schema


def _predictor_schema() -> Schema:
    """Return the predictor's own fields, the refused ones and PodSpec's, as one object."""
    schema = structural_schema(PredictorSpec)
    schema["description"] = structural_schema(InferenceServiceSpec)["properties"]["predictor"]["description"]
    own = schema["properties"]
    own["deploymentStrategy"] = podspec.deployment_strategy() | {
        "description": own["deploymentStrategy"]["description"]
    }
    properties: Schema = {}
    for group in (own, _refused("predictor"), podspec.pod_spec()["properties"]):
        if clash := properties.keys() & group.keys():
            raise ValueError(f"spec.predictor would have two meanings of {', '.join(sorted(clash))}: rename ours")
        properties |= group
    for field, rules in FIELD_RULES.items():
        properties[field][_VALIDATIONS] = _render(rules)
    return schema | {"properties": properties, _VALIDATIONS: _render(PREDICTOR_RULES)}


def _refused(owner: Owner) -> Schema:
    """Return permissive schemas, by name, of the fields that are refused with a reason whatever they hold."""
    return {field.name: _refused_schema(field) for field in UNSUPPORTED if field.owner == owner}


def _refused_schema(field: Unsupported) -> Schema:
    schema: Schema = {
        "description": f"Not supported: {field.reason}.",
        "type": field.type,
        _VALIDATIONS: _render((Rule(rule="false", message=field.message, for_new=True),)),
    }
    if field.type == "object":
        schema["x-kubernetes-preserve-unknown-fields"] = True
    if field.type == "array":
        schema["items"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema


def _render(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [rule.render() for rule in rules]


def render() -> str:
    """Return the CRD as YAML, as it is committed."""
    header = "# Generated by `make gen` from operator/modelwright_operator/api. Do not edit.\n"
    return header + yaml.dump(inference_service_crd(), Dumper=_Dumper, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes every value in full: kubectl reads YAML's anchors, but people and other tools do not."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def main() -> None:
    """Print the CRD."""
    sys.stdout.write(render())


if __name__ == "__main__":
    main()
