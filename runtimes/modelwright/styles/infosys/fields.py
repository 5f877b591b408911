"""The fields of the library's requests and answers.

Source: https://github.com/Infosys/Infosys-Model-Inference-Library, README.md, "Input Schema and Output Schema"; the
types are those that its HTTP endpoint checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TEXT: Final = (str,)
_LIST: Final = (list,)
REQUEST: Final[Mapping[str, tuple[type, ...]]] = {
    "Tid": _TEXT,
    "Did": _TEXT,
    "Fid": _TEXT,
    "Per": (list, type(None)),
    "Ts": _TEXT,
    "Ts_ntp": _TEXT,
    "Inf_ver": _TEXT,
    "Msg_ver": _TEXT,
    "Model": _TEXT,
    "Ad": (dict, str),
    "Ffp": _TEXT,
    "Ltsize": _TEXT,
    "Lfp": _TEXT,
    "Mtp": _LIST,
    "Base_64": _TEXT,
    "C_threshold": (float, int, str),
    "I_fn": _TEXT,
    "Msk_img": _LIST,
    "Rep_img": _LIST,
    "Prompt": _LIST,
}
# The fields that the base class's predict_request does not read, but the library's endpoint asks for.
OF_THE_ENDPOINT: Final = frozenset({"I_fn", "Msk_img", "Rep_img", "Prompt"})
ANSWER: Final = (
    *("Fs", "Tid", "Did", "Fid", "Ts", "Ts_ntp", "Inf_ver", "Msg_ver", "Ad"),
    *("Ffp", "Ltsize", "Lfp", "Mtp", "Rc", "Rm", "Obase_64", "Img_url"),
)
_NAMES: Final[Mapping[type, str]] = {str: "text", list: "a list", dict: "an object", float: "a number", int: "a number"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that is missing or wrong."""

    field: str
    kind: str
    message: str


def problems(request: Mapping[str, Any], wanted: frozenset[str]) -> list[Problem]:
    """Hold a request against the fields in `wanted`, and the types of all that are there."""
    found = [Problem(name, "missing", "Field required") for name in sorted(wanted - request.keys())]
    for name, types in REQUEST.items():
        if name in request and (not isinstance(request[name], types) or isinstance(request[name], bool)):
            found.append(Problem(name, "type", f"must be {_expected(types)}"))
    threshold = request.get("C_threshold")
    if isinstance(threshold, str) and not _is_number(threshold):
        found.append(Problem("C_threshold", "type", "must be a number"))
    return found


def told(found: list[Problem]) -> str:
    """Say it in one sentence, missing fields first."""
    missing = ", ".join(each.field for each in found if each.kind == "missing")
    wrong = ", ".join(f"{each.field} {each.message}" for each in found if each.kind != "missing")
    parts = [f"fields are missing: {missing}" if missing else "", wrong]
    return f"the request cannot be read: {'; '.join(filter(None, parts))}"


def _expected(types: tuple[type, ...]) -> str:
    return " or ".join(dict.fromkeys(_NAMES.get(each, "null") for each in types))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
