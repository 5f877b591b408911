"""REST's routes for answers in pieces, and for Triton's flat JSON: infer_stream, generate_stream and generate."""

from __future__ import annotations

from modelwright.codecs import generate, v2
from modelwright.errors import InvalidInput
from modelwright.model import Model, ModelMetadata
from modelwright.server import declared
from modelwright.server.caller import Caller
from modelwright.server.limits import deadline, in_time, moment
from modelwright.server.rest import sse
from modelwright.server.rest.headers import Headers
from modelwright.server.rest.replies import Body, to_bytes
from modelwright.server.rest.routes import GENERATES, STREAMS, Action, Route
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.streams import EVENTS, Stream, pieces_of
from modelwright.tensors import InferenceRequest, InferenceResponse

Answer = tuple[int, Headers, Body]
ACTIONS = STREAMS | {Action.GENERATE}


async def answer(route: Route, model: Model, body: bytes, headers: dict[str, str], caller: Caller) -> Answer:
    """Answer a request for pieces, or a flat one; an error before the first piece is raised, as for any request.

    Raises:
        InferenceError: what the caller is told.
        Exception: whatever the author's code raised.

    """
    seconds = deadline(headers)
    described = model.metadata()
    flat = route.action in GENERATES and generate.is_flat(body, headers)
    request = generate.decode(body, _declared(described)) if flat else v2.decode(body, headers)
    request.model_name = route.model
    request.headers = headers
    declared.check(request, described)
    if route.action is Action.GENERATE and flat:
        response = await in_time(model.infer(request), seconds)
        return 200, [*to_bytes(response.headers), JSON], generate.encode(response, request)

    def write(piece: InferenceResponse) -> bytes:
        return sse.event(generate.encode(piece, request) if flat else _json(piece, request))

    stream = Stream(pieces_of(model, request), write, caller, moment(seconds), EVENTS)
    first = await stream.begin()
    try:
        return 200, [*(to_bytes(first.headers) if first else []), *sse.HEADERS], stream
    except ValueError:
        await stream.aclose()
        raise


def _json(piece: InferenceResponse, request: InferenceRequest) -> bytes:
    written, _ = v2.encode(piece, request)
    if not isinstance(written, bytes):
        raise InvalidInput("events carry JSON only; leave 'binary_data' and 'binary_data_output' out of the request")
    return written


def _declared(described: ModelMetadata) -> dict[str, tuple[str, int]]:
    return {each.name: (each.datatype, len(each.shape)) for each in described.inputs}
