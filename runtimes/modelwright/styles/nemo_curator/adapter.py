"""A Curator model as the server sees models."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelwright.model import Execution, Model, ModelMetadata, NotRenewable, Payload, V1Answer
from modelwright.styles.nemo_curator import answers, fetching, place, pod
from modelwright.styles.nemo_curator.arguments import Given, Taking
from modelwright.styles.nemo_curator.fetching import Weights
from modelwright.styles.nemo_curator.needs import Needs, needs
from modelwright.styles.nemo_curator.signature import Signature
from modelwright.tensors import Array, InferenceRequest, InferenceResponse

LOGGER: Final = logging.getLogger("modelwright.nemo_curator")


@dataclass(frozen=True, slots=True)
class Authored:
    """A class of the author's and what the author's files say of it; `notes` are for the log."""

    kind: type[Any]
    name: str
    params: Mapping[str, Any]
    signature: Signature
    known: Mapping[str, Weights]
    notes: tuple[str, ...] = ()


class CuratorModel(Model):
    """`modelwright.model.Model` over one class: its constructor, its weights and its `setup` are `load`."""

    def __init__(self, authored: Authored) -> None:
        self._authored = authored
        self.name = authored.name
        self.ready = False
        self.needs: Needs | None = None
        self._metadata = self._described(0.0)
        self._taking = Taking(authored.signature.parameters)
        self._outputs = authored.signature.outputs
        self._user: Any = None
        self._entry: Any = None
        self._is_async = False
        self._execution: Execution | None = None

    def metadata(self) -> ModelMetadata:
        """Describe what settings and type hints tell of the entry point."""
        return self._metadata

    def _described(self, gpus: float) -> ModelMetadata:
        signature = self._authored.signature
        return ModelMetadata(
            self.name,
            platform="nemo_curator",
            inputs=signature.inputs,
            outputs=signature.outputs,
            parameters={"num_gpus": gpus} if gpus else {},
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the author's files want said, as is written to the log when the model is loaded."""
        return self._authored.notes

    def bind(self, execution: Execution) -> None:
        """Run the author's code through `execution` from now on."""
        self._execution = execution

    async def load(self) -> None:
        """Make the author's object, have its weights where it looks for them, and call its `setup`.

        Raises:
            FetchFailed: weights are nowhere to be had.
            UnusableNeeds: a property of the interface has another type.
            Exception: whatever the author's code raises.

        """
        if self._execution is None:
            self._set_up()
        else:
            # In a server that answers requests already.
            await asyncio.to_thread(self._set_up)
        self.ready = True

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request with what the entry point returns."""
        result = await self._call(self._taking.of_tensors(request))
        lone = answers.lone(result, self._outputs)
        outputs = [lone] if lone is not None else answers.tensors(await self._apart(result))
        return InferenceResponse(self.name, outputs, id=request.id)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Answer a V1 request with what the entry point returns for all of its rows."""
        result = await self._call(self._taking.of_json(payload))
        lone = answers.lone(result, self._outputs)
        predictions = lone.data if lone is not None else answers.predictions(await self._apart(result))
        return V1Answer({"predictions": predictions}, {})

    def unload(self) -> None:
        """Let go of the author's object."""
        self._user = self._entry = None
        self.ready = False

    def _set_up(self) -> None:
        authored = self._authored
        user = authored.kind(**authored.params)
        self.needs = needs(user, authored.known)
        self._metadata = self._described(self.needs.num_gpus)
        own = getattr(authored.kind, "download_weights_on_node", None)
        otherwise = functools.partial(own, str(place.root())) if own is not None else None
        for weights in self.needs.weights:
            fetching.ensure(weights, alone=len(self.needs.weights) == 1, otherwise=otherwise)
        for note in (*authored.notes, pod.resources(self.needs.num_gpus).note):
            if note:
                LOGGER.info("model %s: %s", self.name, note)
        user.setup()
        self._user = user
        self._enter()

    def _enter(self) -> None:
        self._entry = getattr(self._user, self._authored.signature.method)
        self._is_async = inspect.iscoroutinefunction(self._entry)

    @property
    def renews(self) -> bool:
        """Always: what is loaded is the author's object's."""
        return True

    def renew(self) -> None:
        """Look anew at the entry point; raises NotRenewable where it takes or gives something else."""
        before = inspect.signature(self._entry)
        self._enter()
        if inspect.signature(self._entry) != before:
            raise NotRenewable(f"{self._authored.signature.method} of model {self.name!r} has another signature")

    async def _call(self, given: Given) -> Any:  # noqa: ANN401 - whatever the author returns
        positional, named = given
        entry = functools.partial(self._entry, **named) if named else self._entry
        if self._is_async:
            return await entry(*positional)
        return await self._ours.call(entry, *positional)

    async def _apart(self, result: object) -> dict[str, Array]:
        # In the model's place: a torch tensor is waited for there, not on the event loop.
        return await self._ours.call(answers.arrays, result, self._outputs)

    @property
    def _ours(self) -> Execution:
        assert self._execution is not None, "bind() comes before the first request"  # noqa: S101
        return self._execution
