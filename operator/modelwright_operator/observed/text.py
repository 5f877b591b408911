"""Text for conditions: short enough to read in a terminal, stable enough not to be rewritten for nothing."""

import re

MESSAGE_LIMIT = 1024
"""Longest condition message, in characters."""
DETAIL_LIMIT = 4096
"""Longest failure detail, in characters: what the kubelet keeps of a termination message."""
_TAIL_LINES = 6
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY = re.compile(r"(\w+://[^\s?]+)\?\S+")


def shortened(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return `text` cut in the middle where it is longer than `limit`: the start names things, the end says why."""
    if len(text) <= limit:
        return text
    head = (limit - 5) * 2 // 3
    return f"{text[:head]} ... {text[len(text) - (limit - 5 - head) :]}"


def last_lines(log: str) -> str:
    """Return the last lines of a log on one line: the end of a traceback says what happened."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return shortened(" | ".join(lines[-_TAIL_LINES:]), 600)


def without_credentials(uri: str) -> str:
    """Return a URI without what may be a secret in it: user and password, and the query (signatures)."""
    return _QUERY.sub(r"\1?...", _USER_INFO.sub("", uri))
