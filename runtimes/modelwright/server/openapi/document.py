"""The OpenAPI 3.1 page: every route of this server, with the inputs and outputs that its models declare.

Source: https://spec.openapis.org/oas/v3.1.0. Built when it is first asked for, and anew when a model describes itself
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from modelwright.model import Model, ModelMetadata, Repository
from modelwright.server.openapi import openai as openapi_openai
from modelwright.server.openapi import schemas
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.routes import Action
from modelwright.server.versions import version as server_version

Operation = dict[str, Any]

_TITLE: Final = "Models served by Modelwright"
_ABOUT: Final = (
    'V1 and V2 (Open Inference Protocol) REST. An error is `{"error": "..."}`; one of the model\'s own code has a '
    "`request_id` too, under which the server's log has the reason. Tensors travel as JSON or, with the header "
    "`Inference-Header-Content-Length`, as bytes behind the JSON (Triton's binary tensor data extension). Bodies may "
    "be compressed (`Content-Encoding: gzip` or `deflate`)."
)
_SSE: Final = "text/event-stream"


class OpenApi:
    """`/openapi.json` of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._described: tuple[ModelMetadata, ...] | None = None
        self._body = b""

    def body(self) -> bytes:
        """Give the document."""
        described = tuple(model.metadata() for model in self._repository)
        if described != self._described:
            self._body, self._described = to_json(document(self._repository)), described
        return self._body


def document(repository: Repository) -> dict[str, Any]:
    """Describe the routes of a server of these models."""
    paths: dict[str, dict[str, Operation]] = {
        path: {"get": _fixed(action, summary, responses)} for action, path, summary, responses in _server_routes()
    }
    for path, method, operation in openapi_openai.routes(repository):
        paths.setdefault(path, {})[method] = operation
    for model in repository:
        for path, method, operation in (*_model_routes(model.name, model.metadata()), *_own_routes(model)):
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "description": _ABOUT, "version": server_version()},
        "paths": paths,
        "components": {"schemas": schemas.SHARED, "responses": schemas.REFUSALS, "parameters": schemas.HEADERS},
    }


def _fixed(action: Action, summary: str, responses: dict[str, Any]) -> Operation:
    return {"operationId": action.name.lower(), "summary": summary, "tags": ["server"], "responses": responses}


def _server_routes() -> Iterator[tuple[Action, str, str, dict[str, Any]]]:
    names = schemas.answer(schemas.object_of(models={"type": "array", "items": {"type": "string"}}))
    yield Action.ROOT, "/", "Is it alive?", {"200": schemas.answer(schemas.object_of(status={"const": "alive"}))}
    yield Action.LIVE, "/v2/health/live", "Liveness", {"200": schemas.answer(schemas.object_of(live={"const": True}))}
    yield (
        Action.READY,
        "/v2/health/ready",
        "Readiness: every model is ready and the server is not stopping",
        {
            "200": schemas.answer(schemas.object_of(ready={"const": True})),
            "503": schemas.answer(schemas.object_of(ready={"const": False}), "not ready"),
        },
    )
    yield Action.SERVER, "/v2", "Server metadata", {"200": schemas.answer(schemas.ref("ServerMetadata"))}
    yield Action.V1_MODELS, "/v1/models", "Names of the models", {"200": names}
    yield Action.V2_MODELS, "/v2/models", "Names of the models", {"200": names}
    yield (
        Action.METRICS,
        "/metrics",
        "Prometheus metrics",
        {"200": {"description": "text, or OpenMetrics where it is asked for", "content": {"*/*": {}}}},
    )
    yield Action.OPENAPI, "/openapi.json", "This page", {"200": schemas.answer({"type": "object"})}
    yield (
        Action.DOCS,
        "/docs",
        "This page for a reader, where the server was started with --enable_docs_url",
        {
            "200": {"description": "a page", "content": {"text/html": {"schema": {"type": "string"}}}},
            "404": schemas.refusal("NotFound"),
        },
    )


def _model_routes(name: str, described: ModelMetadata) -> Iterator[tuple[str, str, Operation]]:
    """Yield path, method and operation of one model's routes, those with a version once more for each version."""
    where = quote(name, safe="")
    yield f"/v1/models/{where}", "get", _about(name, "v1_model", "Is the model ready?", schemas.ref("ModelReady"))
    for verb in ("predict", "explain"):
        yield (
            f"/v1/models/{where}:{verb}",
            "post",
            _operation(name, verb, f"V1 {verb}", schemas.v1_body(), _v1_answer()),
        )
    for version in ("", *described.versions):
        base = f"/v2/models/{where}" + (f"/versions/{quote(version, safe='')}" if version else "")
        yield base, "get", _about(name, "v2_model", "Metadata", schemas.ref("ModelMetadata"), version)
        yield f"{base}/ready", "get", _about(name, "ready", "Is it ready?", schemas.ref("ModelReady"), version)
        for tail, build in _V2_TAILS.items():
            yield f"{base}/{tail}", "post", build(name, described, version)


def _own_routes(model: Model) -> Iterator[tuple[str, str, Operation]]:
    """Yield the routes that the model brings itself, of whose bodies only its author knows."""
    for each in model.own_routes:
        method = each.method.lower()
        named = re.findall(r"\{([^{}]+)\}", each.path)
        operation = {
            "operationId": _identity(f"own_{method}", model.name, each.path),
            "summary": "a route of the model's own",
            "tags": [model.name],
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named
            ],
            "responses": {"default": {"description": "what the model's class answers", "content": {"*/*": {}}}},
        }
        body: Operation = {} if method == "get" else {"requestBody": {"content": {"*/*": {}}}}
        yield each.path, method, operation | body


def _about(name: str, verb: str, summary: str, schema: dict[str, Any], version: str = "") -> Operation:
    responses = {"200": schemas.answer(schema), "404": schemas.refusal("NotFound"), "503": schemas.refusal("NotReady")}
    operation = {"operationId": _identity(verb, name, version), "summary": summary, "tags": [name]}
    return {**operation, "responses": responses}


def _infer(name: str, described: ModelMetadata, version: str) -> Operation:
    binary = {"description": schemas.BINARY, "schema": {"type": "integer"}}
    answer = {
        "description": "the outputs",
        "headers": {"Inference-Header-Content-Length": binary},
        "content": {"application/json": {"schema": schemas.infer_response(described)}, "application/octet-stream": {}},
    }
    return _operation(name, "infer", "V2 infer", schemas.v2_body(described), answer, version)


def _infer_stream(name: str, described: ModelMetadata, version: str) -> Operation:
    summary = "V2 infer, each piece of the answer a server-sent event with a V2 response"
    return _operation(name, "infer_stream", summary, schemas.v2_body(described), _events(), version)


def _generate(name: str, described: ModelMetadata, version: str) -> Operation:
    answer = schemas.answer({"type": "object"}, "outputs and parameters by name")
    return _operation(
        name, "generate", "Triton's generate: one flat object", schemas.flat_body(described), answer, version
    )


def _generate_stream(name: str, described: ModelMetadata, version: str) -> Operation:
    summary = "Triton's generate, each piece of the answer a server-sent event"
    return _operation(name, "generate_stream", summary, schemas.flat_body(described), _events(), version)


_V2_TAILS: Final[dict[str, Callable[[str, ModelMetadata, str], Operation]]] = {
    "infer": _infer,
    "infer_stream": _infer_stream,
    "generate": _generate,
    "generate_stream": _generate_stream,
}


def _events() -> dict[str, Any]:
    return {"description": "one event for each piece, its data as the route's JSON answer", "content": {_SSE: {}}}


def _v1_answer() -> dict[str, Any]:
    return {
        "description": 'what the model\'s class returned, often {"predictions": [...]}',
        "content": {"application/json": {"schema": {}}, "*/*": {}},
    }


def _operation(
    name: str, verb: str, summary: str, body: dict[str, Any], answer: dict[str, Any], version: str = ""
) -> Operation:
    """Put together an operation that runs the model."""
    return {
        "operationId": _identity(verb, name, version),
        "summary": summary,
        "tags": [name],
        "parameters": schemas.header_refs(*(("BinarySize",) if verb.startswith("infer") else ())),
        "requestBody": body,
        "responses": {"200": answer, **schemas.run_refusals()},
    }


def _identity(verb: str, name: str, version: str) -> str:
    """Give an operationId, which generators of clients make a function's name of."""
    return "_".join(filter(None, (verb, *(quote(part, safe="").replace("%", "_") for part in (name, version)))))
