"""OpenAI's requests: which fields an operation must have, and what each may hold.

Source: https://platform.openai.com/docs/api-reference. Only types are checked: which values make sense is the model's
to say, and fields that are not known here are passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from modelwright.codecs.describe import describe, quote
from modelwright.codecs.document import parse_json
from modelwright.errors import InvalidInput

Fields = Mapping[str, Callable[[str, object], None]]


class InvalidField(InvalidInput):
    """One field of the request is missing or wrong (400); `field` is where, such as ``messages[0].role``."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read(body: bytes, required: str, fields: Fields) -> dict[str, Any]:
    """Return the request in a body, which has a `model` and `required`; null is as good as absent elsewhere.

    Raises InvalidField naming the field and what was expected, InvalidInput for what is no JSON object.
    """
    payload = parse_json(body)
    if not isinstance(payload, dict):
        raise InvalidInput(f"the body must be a JSON object, not {describe(payload)}")
    for name in ("model", required):
        if payload.get(name) is None:
            raise InvalidField(name, f"the body has no {name!r}")
    _text("model", payload["model"])
    for name, check in fields.items():
        if payload.get(name) is not None:
            check(name, payload[name])
    return payload


def _is(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)


def _of(words: str, *kinds: type) -> Callable[[str, object], None]:
    def check(field: str, value: object) -> None:
        if not _is(value, *kinds):
            raise InvalidField(field, f"{quote(field)} must be {words}, not {describe(value)}")

    return check


_text: Final = _of("a string", str)
_flag: Final = _of("true or false", bool)
_whole: Final = _of("a whole number", int)
_number: Final = _of("a number", int, float)
_object: Final = _of("an object", dict)
_list: Final = _of("a list", list)


def _stop(field: str, value: object) -> None:
    if not isinstance(value, str | list):
        raise InvalidField(field, f"{quote(field)} must be a string or a list of them, not {describe(value)}")
    for index, each in enumerate(value if isinstance(value, list) else ()):
        _text(f"{field}[{index}]", each)


def _encoding(field: str, value: object) -> None:
    if value not in ("float", "base64"):
        raise InvalidField(field, f"{quote(field)} must be 'float' or 'base64', not {describe(value)}")


def _messages(field: str, value: object) -> None:
    if not isinstance(value, list) or not value:
        raise InvalidField(field, f"{quote(field)} must be a list of at least one message, not {describe(value)}")
    for index, message in enumerate(value):
        where = f"{field}[{index}]"
        _object(where, message)
        if "role" not in message:
            raise InvalidField(f"{where}.role", f"{where} has no 'role'")
        _text(f"{where}.role", message["role"])
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise InvalidField(
                f"{where}.content",
                f"'{where}.content' must be a string, a list of parts or null, not {describe(content)}",
            )
        for part, each in enumerate(content if isinstance(content, list) else ()):
            _object(f"{where}.content[{part}]", each)


def _texts(field: str, value: object) -> None:
    """Check text or tokens: a string, a list of strings, one of tokens, or one of lists of tokens."""
    if isinstance(value, str):
        return
    rows = value if isinstance(value, list) else []
    tokens = rows and all(_is(each, int) for each in rows)
    strings = rows and all(isinstance(each, str) for each in rows)
    lists = rows and all(isinstance(each, list) and each and all(_is(token, int) for token in each) for each in rows)
    if not (tokens or strings or lists):
        raise InvalidField(
            field, f"{quote(field)} must be a string, a list of strings, or lists of tokens, not {describe(value)}"
        )


_SAMPLING: Final[Fields] = {
    "stream": _flag,
    "stream_options": _object,
    "n": _whole,
    "max_tokens": _whole,
    "temperature": _number,
    "top_p": _number,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "seed": _whole,
    "stop": _stop,
    "logit_bias": _object,
    "user": _text,
}
CHAT: Final[Fields] = {
    "messages": _messages,
    "max_completion_tokens": _whole,
    "tools": _list,
    "logprobs": _flag,
    "top_logprobs": _whole,
    "response_format": _object,
    **_SAMPLING,
}
COMPLETION: Final[Fields] = {"prompt": _texts, "suffix": _text, "echo": _flag, "logprobs": _whole, **_SAMPLING}
EMBEDDING: Final[Fields] = {"input": _texts, "encoding_format": _encoding, "dimensions": _whole, "user": _text}
