"""The structural schemas of Kubernetes' types that an InferenceService embeds.

They come from Kubernetes' OpenAPI (see `openapi`), with references resolved and with the limits added that
Kubernetes checks outside its OpenAPI: found at `kubectl apply`, a mistake is cheaper than in a Deployment
that is refused later.
"""

import json
from functools import cache
from importlib import resources as package_files
from typing import Any

Schema = dict[str, Any]

QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_INT_OR_STRING: Schema = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
}
_REPLACED: dict[str, Schema] = {
    "IntOrString": _INT_OR_STRING,
    "Quantity": _INT_OR_STRING | {"pattern": QUANTITY},
    # Labels and annotations are all that a volumeClaimTemplate may have; what else is written is left for
    # Kubernetes to refuse, not pruned.
    "ObjectMeta": {
        "type": "object",
        "properties": {
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "x-kubernetes-preserve-unknown-fields": True,
    },
}

# A map list's keys have to be required or defaulted. These are Kubernetes' own defaults.
_KEY_DEFAULTS = {("ContainerPort", "protocol"): "TCP", ("LocalObjectReference", "name"): ""}

_PORT: Schema = {"minimum": 1, "maximum": 65535}
_DNS_LABEL: Schema = {"maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
# Linux passes no argument longer than 128 KiB (MAX_ARG_STRLEN).
_ARGUMENTS: Schema = {"maxItems": 1024, "items": {"type": "string", "maxLength": 131072}}
# maxItems and maxLength without which the kube-apiserver refuses the CEL rules as too costly; far above real
# use.
_LIMITS: dict[tuple[str, str], Schema] = {
    ("PodSpec", "containers"): {"maxItems": 32},
    ("PodSpec", "initContainers"): {"maxItems": 32},
    ("Container", "name"): _DNS_LABEL,
    ("Container", "args"): _ARGUMENTS,
    ("Container", "command"): _ARGUMENTS,
    ("Container", "env"): {"maxItems": 2048},
    ("Container", "ports"): {"maxItems": 256},
    ("Container", "volumeMounts"): {"maxItems": 1024},
    ("ContainerPort", "containerPort"): _PORT,
    ("ContainerPort", "name"): {"maxLength": 15},
    ("ContainerPort", "hostPort"): {"minimum": 0, "maximum": 65535},
    ("EnvVar", "name"): {"maxLength": 4096},
    ("EnvVar", "value"): {"maxLength": 131072},
    ("Volume", "name"): _DNS_LABEL,
    ("VolumeMount", "mountPath"): {"maxLength": 4096},
}


def kubernetes_version() -> str:
    """Return the version, such as 1.34, of the Kubernetes that kubernetes.json is of."""
    return str(_document()["version"])


def definitions() -> dict[str, Schema]:
    """Return Kubernetes' schemas by short name, as reduced into the committed kubernetes.json."""
    found: dict[str, Schema] = _document()["definitions"]
    return found


@cache
def _document() -> dict[str, Any]:
    text = package_files.files(__package__).joinpath("kubernetes.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def pod_spec() -> Schema:
    """Return PodSpec's structural schema. A CEL rule asks for containers, with a remedy; this does not."""
    schema = _structural("PodSpec")
    del schema["required"]
    return schema


def deployment_strategy() -> Schema:
    """Return the structural schema of a Deployment's spec.strategy."""
    return _structural("DeploymentStrategy")


def environment() -> Schema:
    """Return the structural schema of a container's env."""
    container: Schema = _structural("Container")["properties"]["env"]
    return container


def resources() -> Schema:
    """Return the structural schema of a container's resources."""
    return _structural("ResourceRequirements")


def _structural(name: str) -> Schema:
    """Return the named type's schema with every reference resolved. Kubernetes' pod types do not recurse."""
    if name in _REPLACED:
        return dict(_REPLACED[name])
    source = definitions()[name]
    schema = _resolve(source)
    for field, value in schema.get("properties", {}).items():
        value.update(_LIMITS.get((name, field), {}))
        if (name, field) in _KEY_DEFAULTS:
            value["default"] = _KEY_DEFAULTS[name, field]
    return schema


def _resolve(schema: Schema) -> Schema:
    if "$ref" in schema:
        described = {"description": schema["description"]} if "description" in schema else {}
        return _structural(schema["$ref"]) | described
    resolved = dict(schema)
    for key in ("items", "additionalProperties"):
        if key in schema:
            resolved[key] = _resolve(schema[key])
    if "properties" in schema:
        resolved["properties"] = {name: _resolve(value) for name, value in schema["properties"].items()}
    return resolved
