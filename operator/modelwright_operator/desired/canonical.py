"""A pod spec in the form in which the API server will store it, so that applying it twice changes nothing."""

from typing import Any

from modelwright_operator.desired.quantities import InvalidQuantityError, canonical

_QUANTITY_KEYS = {"sizeLimit", "divisor"}
_QUANTITY_TABLES = {"requests", "limits", "overhead"}
# Optional booleans and numbers that Kubernetes drops when they hold their zero (Go's omitempty on a plain
# type).
_DROPPED_WHEN_ZERO = {
    "readOnly", "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "initialDelaySeconds",
    "subPath", "subPathExpr", "workingDir", "value", "restartPolicy", "serviceAccountName", "nodeName",
    "hostPort", "hostIP",
}  # fmt: skip


def stored_form(spec: dict[str, Any]) -> dict[str, Any]:
    """Return `spec` without what the API server would drop and with quantities as it would write them.

    Empty lists, nulls and zeros of optional fields go; empty objects stay, because some of them mean
    something (`emptyDir: {}`).
    """
    stored: dict[str, Any] = {name: _stored(item, name) for name, item in spec.items()}
    return {name: item for name, item in stored.items() if not _dropped(name, item)}


def _stored(value: object, key: str) -> object:
    """Return the value of the field `key` in stored form."""
    if isinstance(value, dict):
        if key in _QUANTITY_TABLES and all(isinstance(item, str | int | float) for item in value.values()):
            return {name: _quantity(item) for name, item in value.items()}
        return stored_form(value)
    if isinstance(value, list):
        return [_stored(item, "") for item in value]
    if key in _QUANTITY_KEYS and isinstance(value, str | int | float):
        return _quantity(value)
    return value


def _dropped(name: str, value: object) -> bool:
    if value is None or value == []:
        return True
    return name in _DROPPED_WHEN_ZERO and not isinstance(value, dict) and value in (False, 0, "")


def _quantity(value: str | float) -> str:
    try:
        return canonical(value)
    except InvalidQuantityError:
        # The API server's own message about it is better than one of ours.
        return str(value)
