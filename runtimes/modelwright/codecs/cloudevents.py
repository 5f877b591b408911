"""CloudEvents 1.0 over HTTP, binary (attributes in ``ce-`` headers) and structured (everything in the JSON).

Source: the CloudEvents HTTP protocol binding, https://github.com/cloudevents/spec; the answer's type and source
are KServe's, as is their choice by CE_TYPE, CE_SOURCE and CE_MERGE in the environment.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from modelwright.codecs.describe import describe
from modelwright.codecs.document import parse_json
from modelwright.codecs.json_text import write_json
from modelwright.errors import InvalidInput
from modelwright.identities import random_uuid

STRUCTURED: Final = "application/cloudevents+json"
_REQUIRED: Final = ("specversion", "id", "source", "type")
_VERSIONS: Final = ("0.3", "1.0")


@dataclass(slots=True)
class CloudEvent:
    """What came around a payload: its attributes, and the mode, which the answer takes too."""

    attributes: dict[str, Any]
    structured: bool


def in_headers(headers: Mapping[str, str]) -> CloudEvent | None:
    """Return the event whose attributes are in the headers, or None where there is no ``ce-specversion``.

    Raises InvalidInput where a required attribute is missing. Header names are lower-case.
    """
    if "ce-specversion" not in headers:
        return None
    attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    _check(attributes, "the header 'ce-{}'")
    return CloudEvent(attributes, structured=False)


def in_body(payload: dict[str, Any]) -> tuple[Any, CloudEvent]:
    """Return the data and the event of a structured one. Raises InvalidInput where an attribute or data is missing."""
    _check(payload, "the attribute '{}'")
    attributes = {name: value for name, value in payload.items() if name not in ("data", "data_base64")}
    event = CloudEvent(attributes, structured=True)
    if "data" in payload:
        return payload["data"], event
    if "data_base64" in payload:
        return parse_json(_from_base64(payload["data_base64"])), event
    raise InvalidInput("the CloudEvent has no 'data'; a JSON object was expected")


def is_structured(payload: object) -> bool:
    """Say whether a JSON body is an event without its content type saying so, by KServe's rule."""
    return isinstance(payload, dict) and payload.keys() >= {"time", "data", *_REQUIRED}


def answer(event: CloudEvent, model_name: str, result: object) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of the event that answers `event`, in its mode."""
    attributes: dict[str, Any] = dict(event.attributes) if os.getenv("CE_MERGE", "").lower() == "true" else {}
    attributes.pop("datacontenttype", None)
    attributes |= {
        "specversion": "1.0",
        "id": random_uuid(),
        "source": os.getenv("CE_SOURCE", f"io.kserve.inference.{model_name}"),
        "type": os.getenv("CE_TYPE", "io.kserve.inference.response"),
        "time": datetime.now(UTC).isoformat(),
    }
    if event.structured:
        return write_json(attributes | {"data": result}), {"content-type": STRUCTURED}
    headers = {f"ce-{name}": str(value) for name, value in attributes.items()}
    return write_json(result), headers | {"content-type": "application/json"}


def _from_base64(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "%", validate=True)
    except ValueError:
        raise InvalidInput("'data_base64' of the CloudEvent must be a string in base64") from None


def _check(attributes: Mapping[str, Any], name: str) -> None:
    for required in _REQUIRED:
        value = attributes.get(required)
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"{name.format(required)} of the CloudEvent must be a string, not {describe(value)}")
    if attributes["specversion"] not in _VERSIONS:
        versions = " or ".join(_VERSIONS)
        raise InvalidInput(
            f"{name.format('specversion')} must be {versions}, not {describe(attributes['specversion'])}"
        )
