"""Small JSON documents of the server's own: refusals, descriptions, lists."""

import json


def to_json(value: object) -> bytes:
    """Encode one."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
