"""The InferenceService's CustomResourceDefinition, made from the models.

    python -m modelwright_operator.api.crd > crds/serving.kserve.io_inferenceservices.yaml

A test fails while the committed file is another.
"""

import sys
from typing import Any

from modelwright_operator.api import podspec, workers
from modelwright_operator.api.definition import VALIDATIONS, Definition, rendered
from modelwright_operator.api.inferenceservice import GROUP, KIND, PLURAL, VERSION, InferenceServiceSpec
from modelwright_operator.api.predictor import PredictorSpec
from modelwright_operator.api.rule import Rule
from modelwright_operator.api.rules import FIELD_RULES, PREDICTOR_RULES, SPEC_RULES
from modelwright_operator.api.status import InferenceServiceStatus
from modelwright_operator.api.structural import Schema, structural_schema
from modelwright_operator.api.unsupported import UNSUPPORTED, Owner, Unsupported

COLUMNS = (
    {"name": "URL", "type": "string", "jsonPath": ".status.url"},
    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
    {"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].reason"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)
"""What `kubectl get isvc` prints beside the name."""


def inference_service() -> Definition:
    """Return the kind's definition."""
    return Definition(
        group=GROUP,
        version=VERSION,
        kind=KIND,
        plural=PLURAL,
        short_name="isvc",
        columns=COLUMNS,
        description="InferenceService serves a model: it becomes a Deployment, a Service, an autoscaler and a route.",
        spec=_spec_schema(),
        status=structural_schema(InferenceServiceStatus),
        rules=SPEC_RULES,
    )


def inference_service_crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition, ready to be written as YAML."""
    return inference_service().crd()


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
    own["workerSpec"] = workers.extended(own["workerSpec"])
    properties: Schema = {}
    for group in (own, _refused("predictor"), podspec.pod_spec()["properties"]):
        if clash := properties.keys() & group.keys():
            raise ValueError(f"spec.predictor would have two meanings of {', '.join(sorted(clash))}: rename ours")
        properties |= group
    for field, rules in FIELD_RULES.items():
        properties[field][VALIDATIONS] = rendered(rules)
    return schema | {"properties": properties, VALIDATIONS: rendered(PREDICTOR_RULES)}


def _refused(owner: Owner) -> Schema:
    """Return permissive schemas, by name, of the fields that are refused with a reason whatever they hold."""
    return {field.name: _refused_schema(field) for field in UNSUPPORTED if field.owner == owner}


def _refused_schema(field: Unsupported) -> Schema:
    schema: Schema = {
        "description": f"Not supported: {field.reason}.",
        "type": field.type,
        VALIDATIONS: rendered((Rule(rule="false", message=field.message, for_new=True),)),
    }
    if field.type == "object":
        schema["x-kubernetes-preserve-unknown-fields"] = True
    if field.type == "array":
        schema["items"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema


def render() -> str:
    """Return the CRD as YAML, as it is committed."""
    return inference_service().render()


def main() -> None:
    """Print the CRD."""
    sys.stdout.write(render())


if __name__ == "__main__":
    main()
