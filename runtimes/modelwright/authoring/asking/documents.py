"""What somebody wrote, made into a request of the protocol: V1's `instances`, V2's `inputs`, or a bare list."""

from __future__ import annotations

import json
from typing import Any, Final

from modelwright.authoring.asking.offer import RestProtocol
from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata

_INTEGERS: Final = ("INT", "UINT")


def parse(text: bytes, source: str) -> Any:  # noqa: ANN401 - whatever JSON it is
    """Read a JSON document; `source` names it in the message. Raises Mistake."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Mistake(f"{source} is no JSON: {error}") from None


def protocol_of(document: object, offered: tuple[RestProtocol, ...]) -> RestProtocol:
    """Choose the protocol that the document is written for, else the newest that the server offers."""
    if _is_v2(document):
        return "v2"
    if isinstance(document, dict):
        return "v1"
    return offered[-1] if offered else "v1"


def _is_v2(document: object) -> bool:
    inputs = document.get("inputs") if isinstance(document, dict) else None
    return isinstance(inputs, list) and bool(inputs) and all(isinstance(e, dict) and "name" in e for e in inputs)


def body(document: object, protocol: RestProtocol, described: ModelMetadata | None) -> dict[str, Any]:
    """Make a request's JSON object; an object is sent as it is.

    A bare list is V1's `instances`, or V2's only input in the datatype that the model declares.

    Raises:
        Mistake: the document has no form that the protocol can carry.

    """
    if protocol == "v1":
        if isinstance(document, dict):
            return document
        return {"instances": document if isinstance(document, list) else [document]}
    if isinstance(document, dict) and "inputs" in document:
        return document
    values = document.get("instances") if isinstance(document, dict) else document
    if values is None:
        raise Mistake("a V2 request has 'inputs': a list of tensors with name, shape, datatype and data")
    declared = described.inputs if described else ()
    if len(declared) != 1:
        names = ", ".join(each.name for each in declared) or "none"
        raise Mistake(
            f"a bare list fits a model that declares one input; this one declares {names}: "
            "write {'inputs': [{'name', 'shape', 'datatype', 'data'}]}, or choose --protocol v1"
        )
    values = values if isinstance(values, list) else [values]
    only = declared[0]
    return {"inputs": [{"name": only.name, "datatype": only.datatype, "shape": shape_of(values), "data": flat(values)}]}


def shape_of(values: Any) -> list[int]:  # noqa: ANN401 - a list of lists, or an element
    """Give the lengths of nested lists, outermost first; raises Mistake where they are ragged."""
    if not isinstance(values, list):
        return []
    inner = [shape_of(each) for each in values]
    if any(each != inner[0] for each in inner):
        raise Mistake("the list is ragged: every list of one level must have the same length to be a tensor")
    return [len(values), *(inner[0] if inner else [])]


def flat(values: Any) -> list[Any]:  # noqa: ANN401 - a list of lists, or an element
    """Give the elements of nested lists, row by row."""
    if not isinstance(values, list):
        return [values]
    return [element for each in values for element in flat(each)]
