"""A loader class as the server sees models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from modelwright.errors import InvalidInput, Unprocessable
from modelwright.model import (
    Execution,
    HttpAnswer,
    HttpRequest,
    Model,
    ModelMetadata,
    OwnRoute,
    Payload,
    TensorMetadata,
    V1Answer,
)
from modelwright.styles.infosys import fields
from modelwright.styles.infosys.reads import keys_read
from modelwright.tensors import Array, InferenceRequest, InferenceResponse, Tensor

_INPUT: Final = TensorMetadata("request", "BYTES", (-1,))
_OUTPUT: Final = TensorMetadata("response", "BYTES", (-1,))
_JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Loader:
    """A class of the author's and how the library's configuration says to use it.

    `name` is what it is served as, `section` the name that it reads its part of the configuration by.
    """

    kind: type[Any]
    name: str
    section: str
    config: Mapping[str, Any]
    driver: str
    endpoint: str | None = None


class InfosysModel(Model):
    """`modelwright.model.Model` over one loader class, whose constructor is its `load`.

    V1 takes the library's request as the whole body, or several as `instances`; V2 takes a BYTES tensor `request` of
    shape [n], a JSON object each, and answers `response` likewise. The library's own endpoint is served beside them.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.name = loader.name
        self.ready = False
        self._metadata = ModelMetadata(self.name, platform="infosys_imil", inputs=(_INPUT,), outputs=(_OUTPUT,))
        self._instance: Any = None
        self._driver: Any = None
        self._execution: Execution | None = None
        self._reads: frozenset[str] = frozenset()

    def metadata(self) -> ModelMetadata:
        """Describe the one input and the one output, JSON both."""
        return self._metadata

    def bind(self, execution: Execution) -> None:
        """Run the author's code through `execution` from now on."""
        self._execution = execution

    async def load(self) -> None:
        """Make the author's object; raises whatever its constructor does, a missing section as what it is."""
        self._instance = self._loader.kind(self._loader.config, self._loader.section)
        self.renew()
        self.ready = True

    @property
    def renews(self) -> bool:
        """Always: what is loaded is the author's object's."""
        return True

    def renew(self) -> None:
        """Look anew at the driver and the keys that it reads."""
        self._driver = getattr(self._instance, self._loader.driver)
        self._reads = keys_read(self._driver)

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer each JSON object of the tensor `request`."""
        documents = [_parsed(text, place) for place, text in enumerate(request.inputs[0].data.ravel())]
        answers = [json.dumps(await self._answer(document, self._reads)).encode() for document in documents]
        data: Array = np.empty(len(answers), dtype=object)
        data[:] = answers
        return InferenceResponse(self.name, [Tensor("response", "BYTES", (len(answers),), data)], id=request.id)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Answer the library's request, or each of `instances`."""
        if not isinstance(payload, dict):
            raise InvalidInput("the body must be JSON: the library's request, or {'instances': [request, ...]}")
        instances = payload.get("instances")
        if instances is None:
            return V1Answer(await self._answer(payload, self._reads), {})
        if not isinstance(instances, list) or not all(isinstance(each, dict) for each in instances):
            raise InvalidInput("'instances' must be a list of the library's requests, a JSON object each")
        return V1Answer({"predictions": [await self._answer(each, self._reads) for each in instances]}, {})

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """The endpoint of `FastAPI.endpoint` in mil_config.json."""
        endpoint = self._loader.endpoint
        return (OwnRoute("POST", endpoint, self._at_endpoint),) if endpoint else ()

    def unload(self) -> None:
        """Let go of the author's object."""
        self._instance = self._driver = None
        self.ready = False

    async def _at_endpoint(self, request: HttpRequest) -> HttpAnswer:
        """Answer as the library's endpoint does: all 20 fields wanted, 17 given, FastAPI's form of a 422."""
        document = _parsed(request.body, None)
        found = fields.problems(document, frozenset(fields.REQUEST))
        if found:
            detail = [{"type": each.kind, "loc": ["body", each.field], "msg": each.message} for each in found]
            return HttpAnswer(422, json.dumps({"error": fields.told(found), "detail": detail}).encode(), _JSON)
        answer = await self._answer(document, frozenset())
        return HttpAnswer(200, json.dumps({key: answer[key] for key in fields.ANSWER if key in answer}).encode(), _JSON)

    async def _answer(self, document: dict[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
        found = fields.problems(document, wanted)
        if found:
            raise Unprocessable(fields.told(found))
        if "C_threshold" in document:
            document["C_threshold"] = float(document["C_threshold"])
        assert self._execution is not None, "bind() comes before the first request"  # noqa: S101
        answer = await self._execution.call(self._driver, document)
        if not isinstance(answer, dict):
            raise TypeError(
                f"{self._loader.driver} of {self.name} must return a dictionary, not {type(answer).__name__}"
            )
        return answer


def _parsed(text: bytes | str, place: int | None) -> dict[str, Any]:
    """Read one request; `place` is its index in a batch, for the message.

    Raises:
        InvalidInput: it is no JSON object.

    """
    which = "the body" if place is None else f"element {place} of input 'request'"
    try:
        document = json.loads(text)
    except ValueError:
        raise InvalidInput(f"{which} is no JSON") from None
    if not isinstance(document, dict):
        raise InvalidInput(f"{which} must be a JSON object, the library's request")
    return document
