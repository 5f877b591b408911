"""The first prediction of a service that has just come up: of the folder's input.json, or of zeros of its contract."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modelwright.authoring.asking import given, offer
from modelwright.authoring.asking.endpoint import Endpoint
from modelwright.authoring.asking.rest import OverRest
from modelwright.authoring.errors import Mistake, Unreachable
from modelwright.model import ModelMetadata, TensorMetadata

_SECONDS: Final = 60.0
# An ingress hears of a new service by watches of its own; until then it answers these by itself.
_UNROUTED: Final = (404, 502, 503)
_ROUTED_WITHIN: Final = 20.0
_EVERY: Final = 0.5


def ask(url: str, headers: Mapping[str, str], folder: Path, service: str) -> str:
    """Ask the service at `url`, and give the answer with the model's name in front of it.

    Raises Unreachable where nobody answers there, Refused where the model refuses, Mistake where there is nothing to
    ask it.
    """
    endpoint = Endpoint(url, headers, _SECONDS)
    _wait_for_route(endpoint)
    names = offer.models(endpoint)
    model = service if service in names else (names[0] if names else service)
    asker = OverRest(endpoint, model, None, None, None)
    answer = asker.ask(asker.prepare(_question(endpoint, model, folder)))
    return f"{model}: {answer.body.decode('utf-8', 'replace').strip()}\n"


def example(metadata: ModelMetadata | None) -> Mapping[str, Any]:
    """Make a V2 request of zeros, and of one empty text where the input is BYTES; a free dimension is 1. Pure.

    Raises Mistake where the model declares no inputs.
    """
    if metadata is None or not metadata.inputs:
        raise Mistake("the model declares no inputs: write the request that it takes into the folder's input.json")
    return {"inputs": [_zeros(each) for each in metadata.inputs]}


def _zeros(tensor: TensorMetadata) -> Mapping[str, Any]:
    shape = [max(size, 1) for size in tensor.shape]
    count = 1
    for size in shape:
        count *= size
    zero = {"BYTES": "", "BOOL": False}.get(tensor.datatype, 0)
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": shape, "data": [zero] * count}


def _question(endpoint: Endpoint, model: str, folder: Path) -> given.Given:
    file = folder / "input.json"
    if file.is_file():
        return next(iter(given.from_file(file)))
    return given.Document("an example of its contract", example(offer.metadata(endpoint, model)))


def _wait_for_route(endpoint: Endpoint) -> None:
    until = time.monotonic() + _ROUTED_WITHIN
    while (status := endpoint.get("/v2/health/ready").status) in _UNROUTED:
        if time.monotonic() > until:
            raise Unreachable(f"{endpoint.url} answers {status} for this service")
        time.sleep(_EVERY)
