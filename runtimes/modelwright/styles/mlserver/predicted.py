"""A `predict` that never waits, from the server's request to its response: one plain function."""

from __future__ import annotations

from contextvars import ContextVar

from modelwright.identities import random_uuid
from modelwright.styles.mlserver.answers import inference_response
from modelwright.styles.mlserver.cloudevents import CloudEvents
from modelwright.styles.mlserver.computed import Computed, Waited, run
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.refusals import raise_for_the_caller
from modelwright.styles.mlserver.requests import inference_request
from modelwright.tensors import InferenceRequest, InferenceResponse


class Predicted:
    """The author's method and all that is done for it."""

    def __init__(
        self,
        computed: Computed,
        name: str,
        types: Foreign,
        events: CloudEvents,
        context: tuple[tuple[ContextVar[str], str], ...],
    ) -> None:
        """Take what `MLServerModel` has, whose context says whose code runs."""
        self._method = computed.method
        self._name = name
        self._types = types
        self._events = events
        self._context = context
        self.__code__ = computed.__code__

    def __call__(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request.

        Raises:
            Waited: the author's code wanted to wait.
            Exception: what the author's raised, as it is told to the caller.

        """
        given = request.id
        identity = str(given) if given else random_uuid()
        payload = inference_request(self._types, request, self._events, identity)
        for variable, value in self._context:
            # A task that asks this model again has it from the last time.
            if variable.get(None) is not value:
                variable.set(value)
        try:
            answer = run(self._method(payload))
        except Waited:
            raise
        except Exception as raised:
            raise_for_the_caller(raised)
        known_as = payload.id
        events = self._events.of_response(known_as, ours=known_as is identity and not given)
        return inference_response(answer, self._name, known_as, events)
