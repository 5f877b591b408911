r"""Kubernetes' own OpenAPI, reduced to what a CustomResourceDefinition needs of a PodSpec.

`kubernetes.json` beside this file is made by it, from a running kube-apiserver:

    kubectl get --raw /openapi/v3/apis/apps/v1 | python -m modelwright_operator.api.openapi > \
        operator/modelwright_operator/api/kubernetes.json
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

ROOTS = ("io.k8s.api.core.v1.PodSpec", "io.k8s.api.apps.v1.DeploymentStrategy")
"""The types that an InferenceService embeds."""

OMITTED = {"PodSpec": ("ephemeralContainers",)}
"""Fields left out, by type: those that no Deployment can have."""

DESCRIPTION_LIMIT = 200
"""Characters kept of a description.

The whole CRD has to fit, as JSON, into the 262,144 bytes that Kubernetes allows for annotations, because
`kubectl apply` keeps a copy of it in one.
"""

_KEPT = (
    "type",
    "format",
    "enum",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_FORMATS = ("int32", "int64", "date-time", "byte")
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)\. ")


def short_name(reference: str) -> str:
    """Return a type's last name: io.k8s.api.core.v1.Container -> Container."""
    return reference.rsplit("/", 1)[-1].rsplit(".", 1)[-1]


def shorten(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """Return as many whole sentences as fit into `limit` characters, or the start of the first."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    ends = [match.end() for match in _SENTENCE_END.finditer(flat, 0, limit)]
    if ends:
        return flat[: ends[-1]].rstrip()
    start = flat[: limit - 3]
    return (start.rpartition(" ")[0] or start).rstrip(",;:") + "..."


def reduce_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return Kubernetes' version and the schemas of ROOTS and of all they refer to, by short name.

    Raises KeyError where the document is not that of /openapi/v3/apis/apps/v1.
    """
    schemas = document["components"]["schemas"]
    found: dict[str, Schema] = {}
    waiting = list(ROOTS)
    while waiting:
        full = waiting.pop()
        name = short_name(full)
        if name in found:
            continue
        found[name] = _reduce(schemas[full], omitted=OMITTED.get(name, ()))
        waiting += [r for r in _references(schemas[full]) if short_name(r) not in found]
    return {"version": document["info"]["version"], "definitions": _reachable(found)}


def _reachable(found: dict[str, Schema]) -> dict[str, Schema]:
    """Drop what only omitted fields referred to."""
    names: dict[str, Schema] = {}
    waiting = [short_name(root) for root in ROOTS]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names[name] = found[name]
            waiting += _references(found[name])
    return names


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield str(value).rsplit("/", 1)[-1]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _reduce(schema: Schema, omitted: tuple[str, ...] = ()) -> Schema:
    reduced: Schema = {}
    if "description" in schema:
        reduced["description"] = shorten(schema["description"])
    reference = next(_references({k: schema[k] for k in ("$ref", "allOf") if k in schema}), None)
    if reference:
        return reduced | {"$ref": short_name(reference)}
    reduced |= {key: schema[key] for key in _KEPT if key in schema}
    if reduced.get("format") not in (*_FORMATS, None):
        del reduced["format"]
    if "items" in schema:
        reduced["items"] = _reduce(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        reduced["additionalProperties"] = _reduce(schema["additionalProperties"])
    if "properties" in schema:
        reduced["properties"] = {
            name: _reduce(value) for name, value in schema["properties"].items() if name not in omitted
        }
    return reduced


def main() -> None:
    """Read the OpenAPI document from standard input and print its reduction."""
    json.dump(reduce_document(json.load(sys.stdin)), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
