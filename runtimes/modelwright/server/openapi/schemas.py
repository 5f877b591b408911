"""JSON schemas (2020-12, as OpenAPI 3.1 has them) of what the server reads and answers."""

from __future__ import annotations

from typing import Any, Final

from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import NUMPY_TYPES

Schema = dict[str, Any]

BINARY: Final = "bytes of JSON at the start of the body; the raw tensors follow, in order"
_JSON: Final = "application/json"
_BYTES: Final = "application/octet-stream"


def ref(name: str) -> Schema:
    """Refer to one of SHARED."""
    return {"$ref": f"#/components/schemas/{name}"}


def refusal(name: str) -> Schema:
    """Refer to one of REFUSALS."""
    return {"$ref": f"#/components/responses/{name}"}


def object_of(**properties: Schema) -> Schema:
    """Describe an object that has all of these."""
    return {"type": "object", "required": list(properties), "properties": properties}


def answer(schema: Schema, description: str = "the answer") -> Schema:
    """Describe a JSON answer."""
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _error(description: str) -> Schema:
    return answer(ref("Error"), description)


_TEXT: Final[Schema] = {"type": "string"}
_NULLABLE: Final[Schema] = {"type": ["string", "null"]}
_PARAMETERS: Final[Schema] = {"type": "object"}
_SIGNATURE: Final[Schema] = {"type": "array", "items": {"$ref": "#/components/schemas/TensorMetadata"}}
SHARED: Final[Schema] = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string", "description": "what was wrong and what was expected"},
            "request_id": {"type": "string", "description": "where the server's log has the reason"},
        },
    },
    "OpenAIError": object_of(
        error={
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": _TEXT, "type": _TEXT, "param": _NULLABLE, "code": _NULLABLE, "request_id": _TEXT},
        }
    ),
    "ServerMetadata": object_of(name=_TEXT, version=_TEXT, extensions={"type": "array", "items": _TEXT}),
    "ModelReady": object_of(name=_TEXT, ready={"const": True}),
    "TensorMetadata": object_of(
        name=_TEXT, datatype=_TEXT, shape={"type": "array", "items": {"type": "integer", "minimum": -1}}
    ),
    "ModelMetadata": {
        "type": "object",
        "required": ["name", "versions", "platform", "inputs", "outputs"],
        "properties": {
            "name": _TEXT,
            "versions": {"type": "array", "items": _TEXT},
            "platform": _TEXT,
            "inputs": _SIGNATURE,
            "outputs": _SIGNATURE,
            "parameters": _PARAMETERS,
        },
    },
}
REFUSALS: Final[Schema] = {
    "Invalid": _error("the request is malformed or does not fit the model's inputs"),
    "NotFound": _error("there is no such model or version"),
    "Late": _error("the request did not arrive in time"),
    "TooLarge": _error("the body is larger than --max_body_size_mb"),
    "Unsupported": _error("the content encoding is not one that the server reads"),
    "Busy": {
        **_error("too many requests are waiting"),
        "headers": {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}},
    },
    "Failed": _error("the model's code failed on this request"),
    "NotOffered": _error("the model does not offer this"),
    "NotReady": _error("the model is not ready, or the server is stopping"),
    "Deadline": _error("the caller's own deadline passed"),
    "OpenAI": answer(ref("OpenAIError"), "what was wrong, in OpenAI's form"),
    "Other": _error("a refusal of the model's own"),
}
_RUN_REFUSALS: Final = {
    "400": "Invalid", "404": "NotFound", "408": "Late", "413": "TooLarge", "415": "Unsupported", "429": "Busy",
    "500": "Failed", "501": "NotOffered", "503": "NotReady", "504": "Deadline", "default": "Other",
}  # fmt: skip
HEADERS: Final[Schema] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "comes back in the answer and stands in the server's log",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:/+=@-]{1,128}$"},
    },
    "Timeout": {
        "name": "X-Request-Timeout",
        "in": "header",
        "description": "seconds that the caller waits; then 504",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
    "BinarySize": {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "description": BINARY,
        "schema": {"type": "integer", "minimum": 1},
    },
}


def header_refs(*more: str) -> list[Schema]:
    """Refer to the headers that every request which runs a model may have, and to `more`."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in ("RequestId", "Timeout", *more)]


def run_refusals() -> Schema:
    """Give the refusals of a request that runs a model, by status."""
    return {status: refusal(name) for status, name in _RUN_REFUSALS.items()}


def v1_body() -> Schema:
    """Describe a V1 request: what is in it is between caller and model, but `instances` is a list."""
    schema = {
        "type": "object",
        "properties": {"instances": {"type": "array", "description": "one item for each prediction"}},
        "examples": [{"instances": [[1, 2, 3, 4]]}],
    }
    about = "JSON, a CloudEvent around it, or with a content type that is not JSON's bytes that the model's class reads"
    return {"description": about, "required": True, "content": {_JSON: {"schema": schema}, _BYTES: {}}}


def v2_body(described: ModelMetadata) -> Schema:
    """Describe a V2 request for the model's inputs."""
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": _TEXT,
            "parameters": _PARAMETERS,
            "inputs": _tensors(described.inputs),
            "outputs": {"type": "array", "items": _requested(described.outputs)},
        },
        "examples": [{"inputs": [_example(each) for each in described.inputs or (_ANY,)]}],
    }
    return {"required": True, "content": {_JSON: {"schema": schema}, _BYTES: {}}}


def flat_body(described: ModelMetadata) -> Schema:
    """Describe a request of Triton's generate extension: an input is a value or a flat list of them."""
    inputs = described.inputs or (TensorMetadata("text_input", "BYTES", (1,)),)
    values = {
        each.name: {"anyOf": [_scalar(each.datatype), {"type": "array", "items": _scalar(each.datatype)}]}
        for each in inputs
    }
    schema = {
        "type": "object",
        "properties": {"id": _TEXT, "parameters": _PARAMETERS, **values},
        "examples": [{each.name: _example(each)["data"] for each in inputs}],
    }
    return {"required": True, "content": {_JSON: {"schema": schema}}}


def infer_response(described: ModelMetadata) -> Schema:
    """Describe a V2 response with the model's outputs; a float that JSON cannot write is null."""
    tensor = object_of(name=_TEXT, datatype={"enum": list(NUMPY_TYPES)}, shape=_shape(None), data={"type": "array"})
    declared = [_declared(each, {"type": "array"}) for each in described.outputs]
    return {
        "type": "object",
        "required": ["model_name", "outputs"],
        "properties": {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "id": _TEXT,
            "parameters": _PARAMETERS,
            "outputs": {"type": "array", "items": _any_of(declared) if declared else tensor},
        },
    }


_ANY: Final = TensorMetadata("input-0", "FP32", (-1, 4))


def _tensors(declared: tuple[TensorMetadata, ...]) -> Schema:
    if not declared:
        tensor = object_of(name={"type": "string", "minLength": 1}, datatype={"enum": list(NUMPY_TYPES)})
        tensor["required"] += ["shape", "data"]
        tensor["properties"] |= {"shape": _shape(None), "data": {"type": "array"}, "parameters": _PARAMETERS}
        return {"type": "array", "minItems": 1, "items": tensor}
    items = _any_of([_declared(each, _data(each.datatype)) for each in declared])
    return {"type": "array", "minItems": len(declared), "maxItems": len(declared), "items": items}


def _any_of(several: list[Schema]) -> Schema:
    return several[0] if len(several) == 1 else {"anyOf": several}


def _declared(each: TensorMetadata, data: Schema) -> Schema:
    schema = object_of(name={"const": each.name}, datatype={"const": each.datatype}, shape=_shape(each), data=data)
    schema["properties"]["parameters"] = _PARAMETERS
    return schema


def _requested(outputs: tuple[TensorMetadata, ...]) -> Schema:
    names = {"enum": [each.name for each in outputs]} if outputs else {"type": "string", "minLength": 1}
    asked = {"type": "object", "properties": {"binary_data": {"type": "boolean"}}}
    return {"type": "object", "required": ["name"], "properties": {"name": names, "parameters": asked}}


def _shape(each: TensorMetadata | None) -> Schema:
    """Describe a shape: a declared length is that one, -1 any."""
    length: Schema = {"type": "integer", "minimum": 0}
    if each is None:
        return {"type": "array", "items": length}
    lengths = [length if wanted == -1 else {"const": wanted} for wanted in each.shape]
    fixed: Schema = {"type": "array", "minItems": len(lengths), "maxItems": len(lengths)}
    return {**fixed, "prefixItems": lengths} if lengths else fixed


def _data(datatype: str) -> Schema:
    about = "flat, row by row, or nested as the shape is"
    return {"type": "array", "description": about, "items": {"anyOf": [_scalar(datatype), {"type": "array"}]}}


def _scalar(datatype: str) -> Schema:
    if datatype == "BOOL":
        return {"type": "boolean"}
    if datatype == "BYTES":
        return _TEXT
    if datatype.startswith(("INT", "UINT")):
        signed, bits = datatype.startswith("INT"), int(datatype.lstrip("UINT"))
        lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        return {"type": "integer", "minimum": lowest, "maximum": highest}
    return {"type": "number"}


def _example(each: TensorMetadata) -> Schema:
    """Give a small tensor that fits: lengths that are free are 1, elements 0, false or empty."""
    shape = [1 if length == -1 else length for length in each.shape]
    element: Any = {"BOOL": False, "BYTES": ""}.get(each.datatype, 0)
    count = 1
    for length in shape:
        count *= length
    # An image's worth of zeros would tell nobody anything.
    data = [element] * count if count <= _LONGEST_EXAMPLE else []
    return {"name": each.name, "datatype": each.datatype, "shape": shape, "data": data}


_LONGEST_EXAMPLE: Final = 64
