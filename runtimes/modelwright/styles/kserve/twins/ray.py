"""kserve.ray: a model that Ray Serve runs, called through its handle."""

from __future__ import annotations

from typing import Any

from ray.serve.handle import DeploymentHandle

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.model import InferenceModel, InferenceVerb


class RayModel(InferenceModel):
    """Passes every call on to a deployment of a `kserve.Model`."""

    __module__ = "kserve.ray"

    def __init__(self, name: str, handle: DeploymentHandle[Any]) -> None:
        super().__init__(name)
        self._handle = handle

    def __call__(
        self, body: Foreign, headers: dict[str, str] | None = None, verb: InferenceVerb = InferenceVerb.PREDICT
    ) -> Foreign:
        """Call a replica; what it answers is to be awaited."""
        # The genuine one passes no verb, so that a class with a __call__ of its own need not take one.
        more = {"verb": verb} if verb is InferenceVerb.EXPLAIN else {}
        return self._handle.remote(body, headers=headers, **more)

    def load(self) -> bool:
        """Have a replica load its model; a constructor that loads it does so in each."""
        self._handle.load.remote()
        self.ready = True
        return self.ready

    async def get_input_types(self) -> Foreign:  # type: ignore[override]  # as the genuine one
        """Ask a replica for its inputs as model metadata has them."""
        return await self._handle.get_input_types.remote()

    async def get_output_types(self) -> Foreign:  # type: ignore[override]  # as the genuine one
        """Ask a replica for its outputs as model metadata has them."""
        return await self._handle.get_output_types.remote()
