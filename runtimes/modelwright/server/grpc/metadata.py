"""A model's response headers as gRPC metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_KEY: Final = re.compile(r"[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")
# What the transport writes itself; a model that set one of these would break its own answer.
_TRANSPORTS: Final = frozenset(
    {"content-type", "content-length", "connection", "host", "keep-alive", "proxy-connection", "te",
     "transfer-encoding", "upgrade"}
)  # fmt: skip


def metadata_of(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a model's response headers as metadata.

    Those that gRPC keeps for itself are left out, and so are those with characters that it cannot carry but HTTP can:
    a model is written for both.
    """
    return [
        (key, value)
        for key, value in ((name.lower(), str(text).strip()) for name, text in headers.items())
        if _KEY.fullmatch(key)
        and _VALUE.fullmatch(value)
        and key not in _TRANSPORTS
        and not key.startswith("grpc-")
        and not key.endswith("-bin")
    ]
