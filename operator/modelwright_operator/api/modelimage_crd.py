"""The ModelImage's CustomResourceDefinition, made from the models.

    python -m modelwright_operator.api.modelimage_crd > crds/modelwright.dev_modelimages.yaml

A test fails while the committed file is another.
"""

import sys

from modelwright_operator.api import podspec
from modelwright_operator.api.definition import VALIDATIONS, Definition, rendered
from modelwright_operator.api.modelimage import GROUP, KIND, PLURAL, VERSION, ModelImageSpec
from modelwright_operator.api.modelimage_rules import OBJECT_RULES, SPEC_RULES
from modelwright_operator.api.modelimage_status import ModelImageStatus
from modelwright_operator.api.structural import Schema, structural_schema

COLUMNS = (
    {"name": "Tag", "type": "string", "jsonPath": ".spec.tag"},
    {"name": "Latest", "type": "string", "jsonPath": ".status.latestImage"},
    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
    {"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].reason"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)
"""What `kubectl get mi` prints beside the name."""


def model_image() -> Definition:
    """Return the kind's definition."""
    return Definition(
        group=GROUP,
        version=VERSION,
        kind=KIND,
        plural=PLURAL,
        short_name="mi",
        columns=COLUMNS,
        description="ModelImage builds an image in the cluster, from a folder with a model, and builds it again when "
        "the folder or the builder changes. An InferenceService runs it by the image modelimage://NAME.",
        spec=_spec(),
        status=structural_schema(ModelImageStatus),
        rules=OBJECT_RULES,
    )


def _spec() -> Schema:
    schema = structural_schema(ModelImageSpec)
    build = schema["properties"]["build"]["properties"]
    for name, theirs in (("env", podspec.environment()), ("resources", podspec.resources())):
        build[name] = theirs | {"description": build[name]["description"]}
    return schema | {VALIDATIONS: rendered(SPEC_RULES)}


def main() -> None:
    """Print the CRD."""
    sys.stdout.write(model_image().render())


if __name__ == "__main__":
    main()
