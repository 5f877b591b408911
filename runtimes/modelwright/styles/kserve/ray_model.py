"""A Ray Serve deployment of a kserve model as the server sees models."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any, Final

from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, ReplicaUnavailableError

from modelwright.errors import ModelNotReady, Overloaded
from modelwright.model import Execution, Model, ModelMetadata, V1Answer
from modelwright.server import log
from modelwright.styles.kserve.adapter import declared
from modelwright.styles.kserve.answers import infer_response
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.refusals import raise_for_the_caller
from modelwright.styles.kserve.requests import infer_request
from modelwright.styles.kserve.twins.model import InferenceVerb
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.styles.kserve.twins.ray import RayModel
from modelwright.tensors import InferenceRequest, InferenceResponse

# Seconds between two looks at the deployment's replicas.
_LOOK_EVERY: Final = 1.0
# What a call may kill: its first replica, and one more, which shows that it was the call.
_TRIES: Final = 2
_GONE: Final = (RayActorError, ReplicaUnavailableError)


class RayServeModel(Model):
    """`modelwright.model.Model` over a RayModel; it is ready while the deployment has a running replica."""

    def __init__(self, user: RayModel, name: str | None = None) -> None:
        self.user = user
        self.name: str = name or user.name
        self._metadata = ModelMetadata(self.name)
        self._running = True
        self._looking: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the model has been loaded and a replica runs."""
        return bool(self.user.ready) and self._running

    @ready.setter
    def ready(self, value: bool) -> None:
        self.user.ready = value

    def metadata(self) -> ModelMetadata:
        """Return what a replica declared when the model was loaded."""
        return self._metadata

    async def load(self) -> None:
        """Ask a replica for the model's inputs and outputs, after its `load` unless the model is ready."""
        if not self.user.ready:
            self.user.load()
        inputs = await self._declared(self.user.get_input_types)
        self._metadata = ModelMetadata(
            self.name, inputs=inputs, outputs=await self._declared(self.user.get_output_types)
        )

    def bind(self, execution: Execution) -> None:
        """Look at the replicas from now on; their code runs in them."""
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request with what a replica's handlers make of an InferRequest."""
        result, headers = await self._answer(infer_request(request), request.headers)
        return infer_response(result, request, headers)

    async def predict_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with what a replica's handlers make of its dict."""
        return _v1(*await self._answer(payload, headers))

    async def explain_v1(self, payload: dict[str, Any] | bytes, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with `explain` in the place of `predict`."""
        return _v1(*await self._answer(payload, headers, InferenceVerb.EXPLAIN))

    def unload(self) -> None:
        """Look at the replicas no longer; Ray Serve keeps them, or they end with the Ray that this server started."""
        if self._looking is not None:
            self._looking.cancel()
        self.user.ready = False

    async def _answer(
        self, payload: Foreign, headers: Mapping[str, str], verb: InferenceVerb = InferenceVerb.PREDICT
    ) -> tuple[Any, dict[str, str]]:
        """Call a replica, and another where the first one dies.

        Raises:
            ModelNotReady: both died, or there is none.
            Overloaded: as many calls wait as the deployment's max_queued_requests allows.
            Exception: what the author's code raised.

        """
        for _ in range(_TRIES):
            try:
                answer = await self._called(payload, dict(headers), verb)
            except _GONE as error:
                log.LOGGER.warning("a replica of model %r died while it answered: %s", self.name, _first_line(error))
                continue
            # Before 0.14 the answer came without headers.
            return answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, {})
        raise ModelNotReady(f"{_TRIES} replicas of model {self.name!r} died while they answered this request")

    async def _called(self, payload: Foreign, headers: dict[str, str], verb: InferenceVerb) -> Foreign:
        called = self.user(payload, headers, verb)
        try:
            return await called if inspect.isawaitable(called) else called
        except asyncio.CancelledError:
            # Nobody waits any more; the replica need not begin.
            called.cancel()
            raise
        except BackPressureError as error:
            raise Overloaded(f"the queue of model {self.name!r} on Ray is full; try again later") from error
        except DeploymentUnavailableError as error:
            raise ModelNotReady(f"model {self.name!r} has no deployment on Ray any more") from error
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Exception) and not isinstance(cause, RayError):
                _raise_for_the_caller(cause, error)
            raise

    async def _declared(self, ask: Foreign) -> Foreign:
        try:
            return declared(await ask())
        except RayTaskError as error:
            # A class that is no kserve.Model may be deployed too, and declares nothing.
            log.LOGGER.info("model %r declares no tensors: %s", self.name, _first_line(error))
            return ()

    async def _look(self) -> None:
        application, deployment = self.user._handle.app_name, self.user._handle.deployment_name
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            running = await asyncio.to_thread(_runs, application, deployment)
            if running != self._running:
                log.LOGGER.warning("model %r %s on Ray", self.name, "runs" if running else "has no running replica")
            self._running = running


def _raise_for_the_caller(cause: Exception, error: Exception) -> None:
    """Raise what an author's exception is to the caller; where it is a mistake, Ray's, which has its traceback."""
    try:
        raise_for_the_caller(cause)
    except Exception as meant:
        if meant is not cause:
            raise meant from error


def _runs(application: str, deployment: str) -> bool:
    try:
        status = serve.status().applications[application].deployments[deployment]
    except Exception as error:
        # Ray's ways to say that nobody answers have no class in common.
        log.LOGGER.warning("Ray Serve does not tell its status: %s: %s", type(error).__name__, _first_line(error))
        return False
    return any(state == "RUNNING" and count > 0 for state, count in status.replica_states.items())


def _v1(result: Foreign, headers: dict[str, str]) -> V1Answer:
    return V1Answer(result.to_rest()[0] if isinstance(result, InferResponse) else result, headers)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
