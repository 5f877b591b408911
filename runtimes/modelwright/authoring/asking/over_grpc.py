"""Asking a model over gRPC, with the requests and the answers of V2's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc

from modelwright.authoring.asking import documents, picture
from modelwright.authoring.asking.given import Answer, Given, Picture
from modelwright.authoring.asking.picture import Form
from modelwright.authoring.errors import Mistake, Refused, Unreachable
from modelwright.codecs import v2, writing
from modelwright.codecs.grpc_client import decode_response, encode_request
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.errors import InferenceError
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import InferenceRequest

_SERVICE = "/inference.GRPCInferenceService/"
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class OverGrpc:
    """One model behind `grpc://HOST:PORT`, or `grpcs://` over TLS; `timeout` is in seconds.

    Raises Mistake for what is no such address, and where no model is named.
    """

    def __init__(
        self,
        url: str,
        model: str | None,
        headers: Mapping[str, str],
        timeout: float,
        ca: str | None,
        form: Form | None,
        key: str | None,
    ) -> None:
        if model is None:
            raise Mistake("gRPC has no list of models: name one with --model")
        parts = urlsplit(url if "://" in url else f"grpc://{url}")
        if parts.scheme not in ("grpc", "grpcs") or not parts.netloc:
            raise Mistake(f"--url {url!r} is no address for gRPC; expected grpc://HOST:PORT or grpcs://HOST:PORT")
        self.model, self._timeout, self._form, self._key, self._url = model, timeout, form, key, url
        # HTTP/2 has an :authority in the place of Host, and wants all names in lower case.
        lower = {name.lower(): value for name, value in headers.items()}
        host = lower.pop("host", None)
        options: list[tuple[str, Any]] = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        options += [("grpc.default_authority", host)] if host else []
        self._metadata = tuple(lower.items())
        self._channel = (
            grpc.secure_channel(parts.netloc, _credentials(ca), options)
            if parts.scheme == "grpcs"
            else grpc.insecure_channel(parts.netloc, options)
        )

    @cached_property
    def _described(self) -> ModelMetadata:
        answer = self._call("ModelMetadata", pb.ModelMetadataRequest(name=self.model), pb.ModelMetadataResponse)
        inputs = tuple(TensorMetadata(each.name, each.datatype, tuple(each.shape)) for each in answer.inputs)
        return ModelMetadata(self.model, answer.platform, inputs=inputs)

    def prepare(self, given: Given) -> pb.ModelInferRequest:
        """Make the message; raises Mistake where it cannot be made of what was given."""
        try:
            if isinstance(given, Picture):
                declared = picture.chosen(self._described, self._key)
                form = self._form or picture.form(declared)
                request = picture.in_v2(given.content, declared, form, given.source)
            else:
                bare = not (isinstance(given.value, dict) and "inputs" in given.value)
                described = self._described if bare else None
                request = v2.decode(json.dumps(documents.body(given.value, "v2", described)).encode(), {})
            request.model_name = self.model
            return encode_request(request)
        except (InferenceError, TypeError) as error:
            raise Mistake(f"{given.source}: {error}") from None

    def ask(self, prepared: pb.ModelInferRequest) -> Answer:
        """Send it; raises Unreachable and Refused."""
        answer = self._call("ModelInfer", prepared, pb.ModelInferResponse)
        try:
            response = decode_response(answer)
            for each in response.outputs:
                each.parameters.pop("binary_data", None)
            body, _ = writing.encode(response, _ANYTHING)
        except InferenceError as error:
            raise Refused(f"an answer that JSON cannot carry: {error.message}", "OK") from None
        return Answer(body if isinstance(body, bytes) else b"".join(body), "application/json")

    def _call(self, method: str, message: Any, kind: Any) -> Any:  # noqa: ANN401 - protobuf's messages
        serialize, parse = type(message).SerializeToString, kind.FromString
        call = self._channel.unary_unary(_SERVICE + method, request_serializer=serialize, response_deserializer=parse)
        try:
            return call(message, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""  # type: ignore[attr-defined,unused-ignore]
            if code in _AWAY and "model" not in details:
                raise Unreachable(
                    f"{self._url} cannot be reached over gRPC ({code.name}: {details}): is the server there, with gRPC "
                    "on? See --url and --timeout"
                ) from None
            raise Refused(details, code.name) from None


_ANYTHING = InferenceRequest("", [])


def _credentials(ca: str | None) -> grpc.ChannelCredentials:
    try:
        return grpc.ssl_channel_credentials(Path(ca).read_bytes() if ca else None)
    except OSError as error:
        raise Mistake(f"--ca {ca}: {error.strerror or error}") from None
