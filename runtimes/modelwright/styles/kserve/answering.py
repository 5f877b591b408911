"""A V2 request answered by a chain of handlers."""

from __future__ import annotations

from typing import Final

from modelwright.styles.kserve.answers import infer_response, piece_response
from modelwright.styles.kserve.handlers import Chain
from modelwright.styles.kserve.inline import Call
from modelwright.styles.kserve.pieces import only, yields
from modelwright.styles.kserve.refusals import raise_for_the_caller
from modelwright.styles.kserve.requests import infer_request
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.tensors import InferenceRequest, InferenceResponse

_Response: Final = InferResponse


async def answered(chain: Chain, call: Call, request: InferenceRequest) -> InferenceResponse:
    """Answer with what the handlers make of an InferRequest; raises what they raise, as the caller is to be told it."""
    try:
        result, headers = await chain.run(call, infer_request(request), dict(request.headers))
    except Exception as raised:
        raise_for_the_caller(raised)
    # What nearly every author returns is told at once; the abstract types of `yields` take longer to ask.
    if not isinstance(result, _Response) and yields(result):
        return piece_response(await only(call, result), request, headers)
    return infer_response(result, request, headers)
