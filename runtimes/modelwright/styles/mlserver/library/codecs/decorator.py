"""`decode_args`: a `predict` whose arguments and result are Python objects, by its type hints."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import get_type_hints

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import (
    InputCodec,
    RequestCodec,
    find_input_codec,
    find_input_codec_by_payload,
    find_request_codec,
)
from modelwright.styles.mlserver.library.codecs.errors import (
    CodecError,
    CodecNotFound,
    InputsMissing,
    InputsNotFound,
    OutputNotFound,
)
from modelwright.styles.mlserver.library.codecs.hints import is_optional, parts
from modelwright.styles.mlserver.library.types import InferenceRequest, InferenceResponse, ResponseOutput


def _is(codec: Foreign, kind: type) -> bool:
    # Authors register classes and instances alike.
    return issubclass(codec, kind) if isinstance(codec, type) else isinstance(codec, kind)


class SignatureCodec(RequestCodec):
    """A signature's codecs: one for each parameter, and one for each value returned."""

    def __init__(self, predict: Callable[..., Foreign]) -> None:
        hints = get_type_hints(predict)
        self._returned = parts(hints["return"]) if "return" in hints else None
        signature = list(inspect.signature(predict).parameters.values())[1:]
        self._codecs = {each.name: _codec(each, hints) for each in signature}
        # What the caller may leave out although Python wants it: None, for those that admit it.
        missing = [each for each in signature if each.default is inspect.Parameter.empty]
        self._optional = {each.name: None for each in missing if is_optional(hints[each.name])}
        self._required = [each.name for each in missing if each.name not in self._optional]
        self._outputs = [_found(None, hint, is_input=False) for hint in self._returned or ()]

    def decode_request(self, request: InferenceRequest) -> dict[str, Foreign]:  # type: ignore[override]
        """Return the arguments.

        Raises:
            InputsNotFound, InputsMissing: the request has an input that the signature has not, or lacks one.

        """
        arguments: dict[str, Foreign] = dict(self._optional)
        extra = []
        for each in request.inputs:
            codec = self._codecs.get(each.name)
            if codec is None:
                extra.append(each)
            elif _is(codec, InputCodec):
                arguments[each.name] = codec.decode_input(each)
            else:
                raise CodecNotFound(name=each.name, is_input=True)
        if extra:
            whole = next((name for name, codec in self._codecs.items() if _is(codec, RequestCodec)), None)
            if whole is None:
                raise InputsNotFound(extra, self._codecs)
            arguments[whole] = self._codecs[whole].decode_request(InferenceRequest(inputs=extra))
        lacking = [name for name in self._required if name not in arguments]
        if lacking:
            raise InputsMissing(lacking, [each.name for each in request.inputs])
        return arguments

    def encode_response(  # type: ignore[override]
        self, model_name: str, payload: Foreign, model_version: str | None = None
    ) -> InferenceResponse:
        """Return the response with `output-0` and so on.

        Raises:
            OutputNotFound: what was returned is not what the signature says.

        """
        payloads = [] if payload is None else list(payload) if isinstance(payload, tuple) else [payload]
        made: InferenceResponse = InferenceResponse(
            model_name=model_name,
            model_version=model_version,
            outputs=[output for place, each in enumerate(payloads) for output in self._encoded(place, each)],
        )
        return made

    def _encoded(self, place: int, payload: Foreign) -> list[ResponseOutput]:
        if self._returned is None:
            codec: Foreign = find_input_codec_by_payload(payload)
        else:
            codec = self._outputs[place] if place < len(self._outputs) else None
        if codec is None or not codec.can_encode(payload):
            raise OutputNotFound(place, type(payload), self._returned or ())
        if _is(codec, InputCodec):
            return [codec.encode_output(name=f"output-{place}", payload=payload)]
        outputs: list[ResponseOutput] = codec.encode_response(model_name="", payload=payload).outputs
        return outputs


def _codec(parameter: inspect.Parameter, hints: dict[str, Foreign]) -> Foreign:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise CodecError(f"decode_args cannot fill {parameter}: name each input as a parameter of its own")
    if parameter.name not in hints:
        raise CodecError(
            f"parameter {parameter.name!r} has no type hint, which decode_args reads its codec from; "
            f"write {parameter.name}: np.ndarray, list[str], list[bytes], list[datetime] or pd.DataFrame"
        )
    return _found(parameter.name, hints[parameter.name], is_input=True)


def _found(name: str | None, hint: Foreign, *, is_input: bool) -> Foreign:
    codec: Foreign = find_input_codec(type_hint=hint) or find_request_codec(type_hint=hint)
    if codec is None:
        raise CodecNotFound(name=name, payload_type=str(hint), is_input=is_input)
    return codec


def decode_args(predict: Callable[..., Foreign]) -> Callable[..., Foreign]:
    """Let `predict` take its inputs as arguments and return what its hints say."""
    codec = SignatureCodec(predict)

    @wraps(predict)
    async def decoded(self: Foreign, request: InferenceRequest) -> InferenceResponse:
        outputs = predict(self, **codec.decode_request(request))
        if inspect.isawaitable(outputs):
            outputs = await outputs
        return codec.encode_response(model_name=self.name, payload=outputs, model_version=self.version)

    return decoded
