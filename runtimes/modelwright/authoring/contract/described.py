"""A running server's models, as it describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright.authoring.asking import offer
from modelwright.authoring.asking.endpoint import Endpoint
from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.styles.nemo_curator.pod import resources


@dataclass(frozen=True, slots=True)
class Contract:
    """The models' metadata, and the server's OpenAPI document where it has one."""

    models: tuple[ModelMetadata, ...]
    openapi: Mapping[str, Any] | None


def describe(endpoint: Endpoint, model: str | None = None) -> Contract:
    """Ask a server; of one model only where it is named.

    Raises:
        Mistake: there is no such model, or the server describes none over V2.
        Unreachable: nobody answers there.

    """
    names = [offer.choose(endpoint, model)] if model else offer.models(endpoint)
    found = tuple(each for each in (offer.metadata(endpoint, name) for name in names) if each is not None)
    if not found:
        raise Mistake(f"{endpoint.url} describes no model over V2: there is no contract to be had of it")
    reply = endpoint.get("/openapi.json")
    try:
        page = reply.json() if reply.status == 200 else None
    except ValueError:
        page = None
    return Contract(found, page if isinstance(page, dict) else None)


def as_document(contract: Contract) -> dict[str, Any]:
    """Give the metadata in the form of the Open Inference Protocol."""
    return {
        "models": [
            {
                "name": each.name,
                "versions": list(each.versions),
                "platform": each.platform,
                "inputs": _tensors(each.inputs),
                "outputs": _tensors(each.outputs),
                **_further(each.parameters),
            }
            for each in contract.models
        ]
    }


def _further(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give a model's further properties, and what its container asks of Kubernetes for its `num_gpus`."""
    if not parameters:
        return {}
    gpus = parameters.get("num_gpus")
    if not isinstance(gpus, int | float) or isinstance(gpus, bool) or gpus <= 0:
        return {"parameters": dict(parameters)}
    return {"parameters": dict(parameters), "resources": {"limits": dict(resources(gpus).limits)}}


def _tensors(several: Sequence[TensorMetadata]) -> list[dict[str, Any]]:
    return [{"name": each.name, "datatype": each.datatype, "shape": list(each.shape)} for each in several]
