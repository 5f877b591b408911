"""pydantic models -> the structural schemas that a CustomResourceDefinition accepts."""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

# What means the same in JSON Schema and in a structural schema.
_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
)


def structural_schema(model: type[BaseModel]) -> Schema:
    """Return the model's structural schema, with its fields' aliases, descriptions and limits.

    Nothing is required in it unless the model says so with `json_schema_extra={"x-required": True}`: whether
    a field may be left out is said by a CEL rule, whose message can name the remedy. Raises ValueError for a
    type that a structural schema cannot express.
    """
    document = model.model_json_schema(by_alias=True)
    return _convert(document, document.get("$defs", {}))


def _convert(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    if "$ref" in schema:
        target = _convert(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
        return target | {key: schema[key] for key in ("description",) if key in schema}
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        if len(options) != 1:
            raise ValueError(f"a structural schema cannot express the union {schema['anyOf']}")
        return _convert(options[0], definitions) | {k: schema[k] for k in _KEPT if k in schema}
    converted = {key: schema[key] for key in _KEPT if key in schema}
    converted |= {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
    if "items" in schema:
        converted["items"] = _convert(schema["items"], definitions)
    if isinstance(schema.get("additionalProperties"), dict):
        converted["additionalProperties"] = _convert(schema["additionalProperties"], definitions)
    if "properties" in schema:
        converted["properties"] = {name: _convert(value, definitions) for name, value in schema["properties"].items()}
    required = [name for name, value in schema.get("properties", {}).items() if value.get("x-required")]
    if required:
        converted["required"] = required
    return converted
