"""Asking a model over REST: V1 or V2, as the server offers and the request is written."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from modelwright.authoring.asking import documents, offer, picture
from modelwright.authoring.asking.endpoint import Endpoint
from modelwright.authoring.asking.given import Answer, Given, Picture
from modelwright.authoring.asking.offer import RestProtocol
from modelwright.authoring.asking.picture import Form
from modelwright.authoring.errors import Mistake
from modelwright.codecs.binary import write_raw
from modelwright.codecs.writing import HEADER_LENGTH
from modelwright.model import ModelMetadata
from modelwright.tensors import InferenceRequest, Tensor

_JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it goes out."""

    path: str
    body: bytes
    headers: dict[str, str]


class OverRest:
    """One model behind a REST endpoint; what the server offers is asked for once, when it is first needed."""

    def __init__(
        self, endpoint: Endpoint, model: str | None, protocol: RestProtocol | None, form: Form | None, key: str | None
    ) -> None:
        self._endpoint, self._wanted, self._protocol, self._form, self._key = endpoint, model, protocol, form, key

    @cached_property
    def model(self) -> str:
        """The model that is asked; raises Mistake where none or several could be meant."""
        return offer.choose(self._endpoint, self._wanted)

    @cached_property
    def _described(self) -> ModelMetadata | None:
        return offer.metadata(self._endpoint, self.model)

    @cached_property
    def _binary(self) -> bool:
        return offer.binary(self._endpoint)

    def prepare(self, given: Given) -> Prepared:
        """Make the request; raises Mistake where it cannot be made of what was given."""
        if isinstance(given, Picture):
            return self._picture(given)
        protocol = self._protocol or documents.protocol_of(given.value, self._offered)
        described = self._described if protocol == "v2" else None
        body = documents.body(given.value, protocol, described)
        return self._to(protocol, json.dumps(body).encode(), {})

    def ask(self, prepared: Prepared) -> Answer:
        """Send it; raises Unreachable and Refused."""
        reply = self._endpoint.ask(prepared.path, prepared.body, prepared.headers)
        return Answer(reply.body, reply.headers.get("content-type", ""))

    @property
    def _offered(self) -> tuple[RestProtocol, ...]:
        described = self._described
        # A model that declares nothing says nothing of how a bare list would fit.
        return ("v1", "v2") if described and len(described.inputs) == 1 else ("v1",)

    def _to(self, protocol: RestProtocol, body: bytes, headers: dict[str, str]) -> Prepared:
        name = quote(self.model, safe="")
        path = f"/v2/models/{name}/infer" if protocol == "v2" else f"/v1/models/{name}:predict"
        return Prepared(path, body, _JSON | headers)

    def _picture(self, given: Picture) -> Prepared:
        v2 = self._described if self._protocol != "v1" and self._form != "v1-b64" else None
        if v2 is None or not (v2.inputs or self._form or self._key):
            if self._protocol == "v2" or self._form in ("bytes", "pixels"):
                raise Mistake(
                    f"model {self.model!r} is not described over V2 at {self._endpoint.url}: send the image as V1, "
                    "with --as v1-b64"
                )
            return self._to("v1", json.dumps(picture.in_v1(given.content, self._key)).encode(), {})
        declared = picture.chosen(v2, self._key)
        request = picture.in_v2(given.content, declared, self._form or picture.form(declared), given.source)
        body, headers = _with_bytes(request) if self._binary else (_without(request), {})
        return self._to("v2", body, headers)


def _with_bytes(request: InferenceRequest) -> tuple[bytes, dict[str, str]]:
    """Write the tensors behind the JSON (the binary tensor data extension)."""
    pieces = [bytes(write_raw(each.datatype, each.data)) for each in request.inputs]
    heads = [
        {**_head(each), "parameters": {"binary_data_size": len(piece)}}
        for each, piece in zip(request.inputs, pieces, strict=True)
    ]
    text = json.dumps({"inputs": heads}).encode()
    return text + b"".join(pieces), {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(text))}


def _without(request: InferenceRequest) -> bytes:
    return json.dumps({"inputs": [_plain(each) for each in request.inputs]}).encode()


def _plain(tensor: Tensor) -> dict[str, Any]:
    if tensor.datatype != "BYTES":
        return {**_head(tensor), "data": tensor.data.ravel().tolist()}
    # JSON has no bytes; this is how MLServer is told.
    data = [base64.b64encode(each).decode() for each in tensor.data.ravel()]
    return {**_head(tensor), "data": data, "parameters": {"content_type": "base64"}}


def _head(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
