"""The OpenAPI page's part on the routes that OpenAI's clients call; their errors have a form of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from modelwright.model import OpenAIOperation, Repository
from modelwright.server.openapi import schemas

Operation = dict[str, Any]

_TAG: Final = "OpenAI"
_TEXT: Final = {"type": "string"}
_SUMMARIES: Final = {
    OpenAIOperation.CHAT: "OpenAI's chat completions",
    OpenAIOperation.COMPLETION: "OpenAI's completions",
    OpenAIOperation.EMBEDDING: "OpenAI's embeddings",
}
_FIELDS: Final[dict[OpenAIOperation, dict[str, Any]]] = {
    OpenAIOperation.CHAT: {"messages": {"type": "array", "minItems": 1, "items": schemas.object_of(role=_TEXT)}},
    OpenAIOperation.COMPLETION: {"prompt": {"type": ["string", "array"]}},
    OpenAIOperation.EMBEDDING: {"input": {"type": ["string", "array"]}},
}
_EXAMPLES: Final[dict[OpenAIOperation, dict[str, Any]]] = {
    OpenAIOperation.CHAT: {"messages": [{"role": "user", "content": "Hello"}]},
    OpenAIOperation.COMPLETION: {"prompt": "Hello"},
    OpenAIOperation.EMBEDDING: {"input": "Hello"},
}
_MODEL: Final = {"type": "object", "required": ["id", "object", "created", "owned_by"]}


def routes(repository: Repository) -> Iterator[tuple[str, str, Operation]]:
    """Yield path, method and operation; a request names its model in the body."""
    for operation in OpenAIOperation:
        names = [model.name for model in repository if operation in model.openai_operations]
        for prefix in ("/openai", ""):
            path = f"{prefix}/v1/{operation.value}"
            yield path, "post", _runs(f"{prefix.strip('/') or 'v1'}_{operation.name.lower()}", operation, names)
    listed = schemas.answer({"type": "object", "required": ["data"], "properties": {"data": {"type": "array"}}})
    yield "/openai/v1/models", "get", _about("openai_models", "Models that offer an operation of OpenAI's", listed)
    for model in repository:
        where = quote(model.name, safe="")
        summary, answer = f"OpenAI's description of {model.name}", schemas.answer(_MODEL)
        yield f"/openai/v1/models/{where}", "get", _about(f"openai_model_{where.replace('%', '_')}", summary, answer)


def _runs(identity: str, operation: OpenAIOperation, names: list[str]) -> Operation:
    known = {"model": {"enum": names} if names else _TEXT, **_FIELDS[operation]}
    schema = schemas.object_of(**known)
    schema["properties"]["stream"] = {"type": "boolean", "description": "answer in server-sent events"}
    schema["examples"] = [{"model": names[0] if names else "NAME", **_EXAMPLES[operation]}]
    answer = schemas.answer({"type": "object"})
    answer["content"]["text/event-stream"] = {}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    summary = _SUMMARIES[operation] + ("" if names else "; none of this server's models offers them")
    return {**_about(identity, summary, answer), "parameters": schemas.header_refs(), "requestBody": body}


def _about(identity: str, summary: str, answer: dict[str, Any]) -> Operation:
    responses = {"200": answer, "default": schemas.refusal("OpenAI")}
    return {"operationId": identity, "summary": summary, "tags": [_TAG], "responses": responses}
