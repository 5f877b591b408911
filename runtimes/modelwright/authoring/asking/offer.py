"""What a server offers: its models, its protocols, and what a model says of its inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import quote

from modelwright.authoring.asking.endpoint import Endpoint
from modelwright.authoring.errors import Mistake, Unreachable
from modelwright.model import ModelMetadata, TensorMetadata

RestProtocol = Literal["v1", "v2"]


def models(endpoint: Endpoint) -> list[str]:
    """Give the names of the models; empty where the server has no list that we know (V2's, V1's, MLServer's index)."""
    for path in ("/v2/models", "/v1/models"):
        reply = endpoint.get(path)
        if reply.status == 200:
            return _names(_parsed(reply.body, endpoint, path, reply.json).get("models"))
    reply = endpoint.post("/v2/repository/index", b"{}", {"content-type": "application/json"})
    if reply.status != 200:
        return []
    index = _parsed(reply.body, endpoint, "/v2/repository/index", lambda: {"models": reply.json()})
    return _names([each.get("name") for each in index["models"] if isinstance(each, dict)])


def choose(endpoint: Endpoint, name: str | None) -> str:
    """Give the model that was named, or the server's only one.

    Raises:
        Mistake: the server has no model of that name, or several and none was named.

    """
    found = models(endpoint)
    there = ", ".join(found) or "none that it lists"
    if name is not None:
        if found and name not in found:
            raise Mistake(f"there is no model {name!r} at {endpoint.url}; its models: {there}")
        return name
    if len(found) != 1:
        raise Mistake(f"name the model with --model; the models at {endpoint.url}: {there}")
    return found[0]


def metadata(endpoint: Endpoint, model: str) -> ModelMetadata | None:
    """Give what the model says of itself over V2; None where the server has no V2 for it."""
    path = f"/v2/models/{quote(model, safe='')}"
    reply = endpoint.get(path)
    if reply.status != 200:
        return None
    document = _parsed(reply.body, endpoint, path, reply.json)
    return ModelMetadata(
        model,
        str(document.get("platform") or ""),
        tuple(_names(document.get("versions"))),
        _tensors(document.get("inputs")),
        _tensors(document.get("outputs")),
        parameters=parameters if isinstance(parameters := document.get("parameters"), dict) else {},
    )


def binary(endpoint: Endpoint) -> bool:
    """Tell whether the server takes tensors as bytes behind the JSON."""
    reply = endpoint.get("/v2")
    if reply.status != 200:
        return False
    return "binary_tensor_data" in _names(_parsed(reply.body, endpoint, "/v2", reply.json).get("extensions"))


def _parsed(body: bytes, endpoint: Endpoint, path: str, read: Any) -> dict[str, Any]:  # noqa: ANN401 - a function
    try:
        document = read()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        start = body[:60].decode("utf-8", "replace")
        raise Unreachable(
            f"{endpoint.url}{path} answers no JSON object ({start!r}): is a model server there? See --url"
        )
    return document


def _names(value: object) -> list[str]:
    # kserve lists names, others objects with a name.
    items: Sequence[object] = value if isinstance(value, list) else []
    named = (each.get("name") if isinstance(each, dict) else each for each in items)
    return [each for each in named if isinstance(each, str)]


def _tensors(value: object) -> tuple[TensorMetadata, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        TensorMetadata(str(each.get("name")), str(each.get("datatype")), _shape(each.get("shape")))
        for each in value
        if isinstance(each, dict)
    )


def _shape(value: object) -> tuple[int, ...]:
    # Protobuf's JSON has 64-bit numbers as text.
    return tuple(int(each) for each in value if re.fullmatch(r"-?\d+", str(each))) if isinstance(value, list) else ()
