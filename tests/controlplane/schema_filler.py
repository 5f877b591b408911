"""A value for every field that a schema of the kube-apiserver's own OpenAPI knows."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

# What a value has to be for reasons that the OpenAPI does not say.
_FIXED = {"Quantity": "100m", "IntOrString": "http", "ObjectMeta": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}

_SCALARS = {"integer": 8080, "boolean": True, "string": "text"}


class Filler:
    """Makes objects out of one OpenAPI document, such as that of /openapi/v3/apis/apps/v1."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: dict[str, Schema] = document["components"]["schemas"]

    def fill(self, name: str, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return an object of the named type with a value in each field but those of `without`."""
        properties = self._schemas[name]["properties"]
        return {field: self._value(field, schema) for field, schema in properties.items() if field not in without}

    def _value(self, field: str, schema: Schema) -> Any:
        references = [part["$ref"] for part in (schema, *schema.get("allOf", ())) if "$ref" in part]
        if references:
            return self._named(field, references[0].rsplit("/", 1)[-1])
        if "enum" in schema:
            return schema["enum"][0]
        if schema["type"] == "array":
            return [self._value(field, schema["items"])]
        if schema["type"] == "object":
            return {"key": self._value("value", schema["additionalProperties"])}
        return _SCALARS[schema["type"]]

    def _named(self, field: str, name: str) -> Any:
        short = name.rsplit(".", 1)[-1]
        if short in _FIXED:
            return _FIXED[short]
        schema = self._schemas[name]
        return self.fill(name) if "properties" in schema else self._value(field, schema)
