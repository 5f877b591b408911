"""On whose behalf a registry is asked."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from modelwright.registry.login import Login
from modelwright.registry.reference import Reference

SILENT: Final = 0
"""The key of `Caller.remedies` for a registry that does not answer."""
OTHER: Final = -1
"""The key for an answer that has no remedy of its own."""


@dataclass(frozen=True)
class Caller:
    """Who asks: with which logins, and in which words a refusal is told.

    `login` finds the login of a host. `failure` makes the error that is raised, of what it is about, the reason and
    the remedy. `remedies` are by HTTP status, with `SILENT` and `OTHER` beside them; `{host}` stands for the
    registry's. `insecure` are hosts that speak plain HTTP beside those that always do.
    """

    login: Callable[[str], Login | None]
    failure: Callable[[str, str, str], Exception]
    remedies: Mapping[int, str]
    insecure: Collection[str] = ()

    def refused(self, reference: Reference, status: int, body: bytes) -> Exception:
        """Return the error for an answer that is a refusal."""
        said = _reason(body)
        reason = f"the registry answers {status} {http.client.responses.get(status, '')}".rstrip()
        remedy = self.remedies.get(status) or self.remedies[OTHER]
        text = f"{reason} ({said})" if said else reason
        return self.failure(str(reference), text, remedy.format(host=reference.host))

    def silent(self, reference: Reference, error: Exception) -> Exception:
        """Return the error for a registry that does not answer."""
        reason = f"the registry {reference.host} does not answer: {getattr(error, 'reason', None) or error}"
        return self.failure(str(reference), reason, self.remedies[SILENT].format(host=reference.host))


def _reason(body: bytes) -> str:
    """Return what a registry's refusal says of itself: distribution-spec, "Error Codes"."""
    try:
        error = json.loads(body)["errors"][0]
        return str(error.get("message") or error.get("code") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
