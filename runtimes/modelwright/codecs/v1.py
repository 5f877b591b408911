"""The V1 body: a JSON object with ``instances`` or ``inputs``, as authors' methods take it, bare or in a CloudEvent.

The content type is not asked whether the body is JSON, since ``curl -d`` says that it is a form. NaN and the
infinities in an answer become null, as KServe writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelwright.codecs import cloudevents
from modelwright.codecs.cloudevents import CloudEvent
from modelwright.codecs.describe import describe
from modelwright.codecs.document import parse_json
from modelwright.codecs.json_text import write_json
from modelwright.errors import InvalidInput

# KServe hands what is no JSON to the author as bytes; here only where the content type says that it means to be none.
_RAW: Final = ("image/", "audio/", "video/", "application/octet-stream", "application/avro", "avro/")

Payload = dict[str, Any] | bytes


def decode(body: bytes | memoryview, headers: Mapping[str, str]) -> Payload:
    """Return the payload for the author's class: the JSON object, or bytes of a content type that is not JSON's.

    Header names are lower-case. Raises InvalidInput for what is not JSON, no object, or a CloudEvent that lacks an
    attribute; and where ``instances`` is no list.
    """
    return read(body, headers)[0]


def read(body: bytes | memoryview, headers: Mapping[str, str]) -> tuple[Payload, CloudEvent | None]:
    """Return the payload as `decode` does, and the CloudEvent that it came in, for `write` to answer."""
    event = cloudevents.in_headers(headers)
    content_type = headers.get("content-type", "").lower()
    if content_type.startswith(_RAW):
        return bytes(body), event
    payload = parse_json(body)
    if event is None and (content_type.startswith(cloudevents.STRUCTURED) or cloudevents.is_structured(payload)):
        payload, event = cloudevents.in_body(_object(payload))
    return _checked(_object(payload)), event


def write(result: object, event: CloudEvent | None, model_name: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of an answer: a CloudEvent to a CloudEvent, else JSON."""
    if event is not None:
        return cloudevents.answer(event, model_name, result)
    return encode(result), {"content-type": "application/json"}


def encode(result: object) -> bytes:
    """Return an author's answer as JSON, numpy arrays and scalars within it included; bytes and text go as they are.

    Raises InferenceError (500) naming the type that has no JSON form.
    """
    if isinstance(result, bytes):
        return result
    return result.encode() if isinstance(result, str) else write_json(result)


def _object(payload: object) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise InvalidInput(f'the body must be a JSON object such as {{"instances": [...]}}, not {describe(payload)}')
    return payload


def _checked(payload: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(payload.get("instances", []), list):
        raise InvalidInput(f"'instances' must be a list, not {describe(payload['instances'])}")
    return payload
