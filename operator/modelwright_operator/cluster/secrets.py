"""Annotations of Secrets, where the operator may read them at all.

Kubernetes has no right to a Secret's metadata alone, so this needs `get` on Secrets and is off unless asked
for. Answers are kept for one resync period: a changed annotation reaches its InferenceServices with the next
resync.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import SECRET

logger = logging.getLogger(__name__)


class SecretMetadata:
    """Reads annotations of Secrets by name.

    Args:
        client: with `get` on Secrets in the namespaces concerned.
        enabled: False never asks.
        fresh_for: seconds for which an answer is kept.
        clock: monotonic seconds.
    """

    def __init__(self, client: Client, *, enabled: bool, fresh_for: float, clock: Callable[[], float]) -> None:
        self._client, self._enabled, self._fresh_for, self._clock = client, enabled, fresh_for, clock
        self._answers: dict[tuple[str, str], tuple[float, dict[str, str] | None]] = {}

    async def annotations(self, namespace: str, name: str) -> dict[str, str] | None:
        """Return a Secret's annotations; None where it does not exist or must not be read."""
        if not self._enabled:
            return None
        now = self._clock()
        asked, answer = self._answers.get((namespace, name), (-self._fresh_for, None))
        if now - asked < self._fresh_for:
            return answer
        answer = await self._ask(namespace, name)
        # A Secret that does not exist yet is asked for again with the next pass.
        if answer is not None:
            self._answers[namespace, name] = (now, answer)
        return answer

    async def _ask(self, namespace: str, name: str) -> dict[str, str] | None:
        try:
            secret = await self._client.get(SECRET, namespace, name)
        except errors.NotFound:
            return None
        except errors.Forbidden as error:
            remedy = f"to have them, name {namespace} in the chart's rbac.secretAnnotationNamespaces"
            logger.warning("%s; its S3 annotations are not used; %s", error, remedy)
            return {}
        return dict(secret["metadata"].get("annotations") or {})
