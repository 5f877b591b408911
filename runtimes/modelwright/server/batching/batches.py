"""V2 requests that may share one call of a model: which they are, their merging and the answer's splitting."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from modelwright.tensors import InferenceRequest, InferenceResponse, Parameters, RequestedOutput, Tensor

# Headers that tell of one message and its way here, not of what the model is to do. Requests that differ in any other
# do not share a call: the model may read it, and one caller's credentials must not stand over another's data.
_MESSAGE: Final = frozenset(
    (
        "accept", "accept-encoding", "accept-language", "b3", "cache-control", "ce-id", "ce-time", "connection",
        "content-encoding", "content-length", "content-type", "date", "forwarded", "inference-header-content-length",
        "keep-alive", "origin", "pragma", "priority", "referer", "te", "traceparent", "tracestate",
        "transfer-encoding", "user-agent", "via", "x-amzn-trace-id", "x-cloud-trace-context", "x-real-ip",
        "x-request-id", "x-request-start", "x-request-timeout",
    )
)  # fmt: skip
_MESSAGE_PREFIXES: Final = ("x-forwarded-", "x-envoy-", "x-b3-", "sec-", "cf-", "grpc-")
# Says who the caller is, in spite of its prefix.
_IDENTITY: Final = "x-forwarded-client-cert"
# Says how an answer is written: for the codec, which has each caller's own request, not for the model.
_WRITING: Final = frozenset(("binary_data", "binary_data_output"))
_PLAIN: Final = (str, int, float, bool, type(None))


class Unsplittable(Exception):
    """What a model answered to several requests at once cannot be told apart; the text says why."""


def count(request: InferenceRequest) -> int:
    """Return the rows of a request, the length that all its inputs have along axis 0; 0 where they have none."""
    lengths = {tensor.shape[0] if tensor.shape else 0 for tensor in request.inputs}
    return lengths.pop() if len(lengths) == 1 else 0


def kind(request: InferenceRequest) -> Hashable:
    """Return what requests have to agree in to be merged: inputs but for their rows, parameters, outputs, headers."""
    return (
        request.model_name,
        tuple((each.name, each.datatype, each.shape[1:], _meaning(each.parameters)) for each in request.inputs),
        _meaning(request.parameters),
        tuple((each.name, _meaning(each.parameters)) for each in request.outputs),
        header_kind(request.headers),
    )


def header_kind(headers: Mapping[str, str]) -> Hashable:
    """Return the headers in which requests of one call agree."""
    return frozenset(
        (name, value)
        for name, value in headers.items()
        if name not in _MESSAGE and (not name.startswith(_MESSAGE_PREFIXES) or name == _IDENTITY)
    )


def shared_headers(headers: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the headers that all requests have with the same value: all that a model is shown of a merged call."""
    first, *others = headers
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def merge(requests: Sequence[InferenceRequest]) -> InferenceRequest:
    """Return one request with the rows of requests of one `kind`, in their order. It has no id, being several."""
    first = requests[0]
    return InferenceRequest(
        first.model_name,
        [_joined(tensors) for tensors in zip(*(each.inputs for each in requests), strict=True)],
        parameters=_meant(first.parameters),
        outputs=[RequestedOutput(each.name, _meant(each.parameters)) for each in first.outputs],
        headers=shared_headers([each.headers for each in requests]),
    )


def split(response: InferenceResponse, requests: Sequence[InferenceRequest]) -> list[InferenceResponse]:
    """Return each request's own rows of the answer to their `merge`, as views, with its own id.

    Raises Unsplittable where an output has not as many rows as went in, or a parameter may speak of some rows only.
    """
    counts = [count(each) for each in requests]
    _check(response, sum(counts))
    ends = np.cumsum(counts).tolist()
    return [
        InferenceResponse(
            response.model_name,
            [_rows(tensor, end - rows, end) for tensor in response.outputs],
            request.id,
            response.model_version,
            dict(response.parameters),
            _own_headers(response, request.id),
        )
        for request, rows, end in zip(requests, counts, ends, strict=True)
    ]


def _own_headers(response: InferenceResponse, identity: str | None) -> dict[str, str]:
    """Return the answer's headers, with the request's id where they name the answer's: of no other value is it so."""
    shared = response.id if identity is not None else None
    return {name: identity or value if value == shared else value for name, value in response.headers.items()}


def _check(response: InferenceResponse, rows: int) -> None:
    for tensor in response.outputs:
        if not tensor.shape or tensor.shape[0] != rows or tensor.data.shape != tuple(tensor.shape):
            shape = list(tensor.shape)
            raise Unsplittable(f"output {tensor.name!r} has the shape {shape} for {rows} rows of input")
    for parameters in (response.parameters, *(tensor.parameters for tensor in response.outputs)):
        for name, value in parameters.items():
            if not is_plain(value):
                raise Unsplittable(f"parameter {name!r} of the answer is a {type(value).__name__}")


def _joined(tensors: tuple[Tensor, ...]) -> Tensor:
    first = tensors[0]
    data = np.concatenate([each.data for each in tensors])
    return Tensor(first.name, first.datatype, data.shape, data, first.parameters)


def _rows(tensor: Tensor, begin: int, end: int) -> Tensor:
    shape = (end - begin, *tensor.shape[1:])
    return Tensor(tensor.name, tensor.datatype, shape, tensor.data[begin:end], dict(tensor.parameters))


def _meaning(parameters: Parameters) -> str:
    # As text, since values may be lists; which also tells 1 from true.
    meant = _meant(parameters) if parameters else None
    return repr(meant) if meant else ""


def _meant(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if name not in _WRITING}


def is_plain(value: Any) -> bool:  # noqa: ANN401 - whatever an author put there
    """Say whether a value that an author answered beside the rows cannot hide some of them."""
    return isinstance(value, _PLAIN)
