"""A transformer's call to its predictor, over REST or gRPC."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from urllib.parse import urlsplit

import numpy as np

from modelwright.errors import InferenceError, ModelNotReady
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.refusals import with_status
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse

_SIZE_HEADER = "inference-header-content-length"


async def over_rest(
    config: PredictorConfig, model: str, payload: Foreign, headers: dict[str, str], sent: dict[str, str] | None
) -> Foreign:
    """POST to the predictor's V1 or V2 endpoint; an InferRequest gives an InferResponse, a dict gives a dict.

    `sent` receives the predictor's headers. Raises the predictor's own status with its message, ModelNotReady (503)
    where it cannot be reached after the configured retries.
    """
    path = f"/v2/models/{model}/infer" if config.protocol == "v2" else f"/v1/models/{model}:predict"
    body, size = payload.to_rest() if isinstance(payload, InferRequest) else (payload, None)
    if size is not None:
        headers = {**headers, _SIZE_HEADER: str(size), "content-type": "application/octet-stream"}
    answer, answered = await _post(config, config.predictor_base_url + path, _bytes(body), headers)
    if sent is not None:
        sent.update(answered)
    if config.protocol != "v2":
        return _json(answer)
    length = int(answered.get(_SIZE_HEADER, len(answer)))
    return InferResponse.from_bytes(answer, length) if isinstance(payload, InferRequest) else _json(answer)


async def explain(base_url: str, model: str, payload: Foreign, headers: dict[str, str]) -> Foreign:
    """POST to an explainer's V1 endpoint."""
    config = PredictorConfig(urlsplit(base_url).netloc)
    answer, _ = await _post(config, f"{base_url}/v1/models/{model}:explain", _bytes(payload), headers)
    return _json(answer)


async def _post(
    config: PredictorConfig, url: str, body: bytes, headers: dict[str, str]
) -> tuple[bytes, dict[str, str]]:
    for attempt in range(config.retries + 1):
        try:
            status, answered, answer = await asyncio.to_thread(_exchange, url, body, headers, config.timeout)
        except (OSError, http.client.HTTPException) as error:
            if attempt == config.retries:
                raise ModelNotReady("the predictor cannot be reached") from error
            continue
        if status >= 400:
            raise with_status(status, _reason(answer, status))
        return answer, answered
    raise ModelNotReady("the predictor cannot be reached")


def _exchange(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[int, dict[str, str], bytes]:
    with closing(_connection(url, timeout)) as connection:
        connection.request("POST", urlsplit(url).path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def status_of(url: str, timeout: float) -> int:
    """GET a URL of the predictor within `timeout` seconds and return its status; raises OSError or HTTPException."""
    with closing(_connection(url, timeout)) as connection:
        connection.request("GET", urlsplit(url).path)
        return connection.getresponse().status


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=_trust())
    return http.client.HTTPConnection(parts.netloc, timeout=timeout)


@cache
def _trust() -> ssl.SSLContext:
    # KServe's controller mounts the predictor's CA and names it here.
    return ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"))


def _bytes(body: Foreign) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, default=_plain).encode("utf-8")


def _plain(value: Foreign) -> Foreign:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be sent to the predictor as JSON")


def _json(answer: bytes) -> Foreign:
    try:
        return json.loads(answer)
    except ValueError as error:
        raise InferenceError("the predictor's answer is not JSON") from error


def _reason(answer: bytes, status: int) -> str:
    try:
        parsed = json.loads(answer)
    except ValueError:
        parsed = None
    return (
        str(parsed["error"]) if isinstance(parsed, dict) and "error" in parsed else f"the predictor answered {status}"
    )


async def over_grpc(config: PredictorConfig, request: InferRequest, headers: Mapping[str, str]) -> InferResponse:
    """Call the predictor's ModelInfer; raises ModelNotReady (503) where it cannot be reached, else its own refusal."""
    # Imported here: only transformers with a gRPC predictor need it.
    import grpc  # noqa: PLC0415

    from modelwright.codecs.proto import open_inference_grpc_pb2 as pb  # noqa: PLC0415

    metadata = [("request_type", "grpc_v2"), ("response_type", "grpc_v2"), *headers.items()]
    async with channel(grpc.aio, config) as connected:
        method = connected.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelInferResponse.FromString,
        )
        try:
            return InferResponse.from_grpc(await method(request.to_grpc(), timeout=config.timeout, metadata=metadata))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                # gRPC's own words name addresses.
                raise ModelNotReady("the predictor cannot be reached") from error
            status = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNIMPLEMENTED": 501, "RESOURCE_EXHAUSTED": 429}
            raise with_status(status.get(error.code().name, 500), f"the predictor: {error.details()}") from error


def channel(library: Foreign, config: PredictorConfig) -> Foreign:
    """Return a channel to the predictor, of `grpc` or `grpc.aio`."""
    import grpc  # noqa: PLC0415

    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    if config.use_ssl:
        return library.secure_channel(config.predictor_host or "", grpc.ssl_channel_credentials(), options)
    return library.insecure_channel(config.predictor_host or "", options)
