"""Data frames, a column a tensor. Imported only beside pandas, or for the content type "pd"."""

from __future__ import annotations

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.base import RequestCodec, register_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError
from modelwright.styles.mlserver.library.codecs.json import decode_json_input_or_output, encode_to_json
from modelwright.styles.mlserver.library.codecs.numpy import convert_nan, to_datatype
from modelwright.styles.mlserver.library.codecs.string import StringCodec, encode_str
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput, get_decoded_or_raw, inject_batch_dimension
from modelwright.styles.mlserver.library.types import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    Parameters,
    RequestInput,
    ResponseOutput,
    TensorData,
)
from modelwright.tensors import NUMPY_TYPES

_JSON = "pd_json"


def _series(tensor: InputOrOutput) -> Foreign:
    if tensor.parameters and tensor.parameters.content_type == _JSON:
        return pd.Series(decode_json_input_or_output(tensor))
    payload = get_decoded_or_raw(tensor)
    if isinstance(payload, TensorData):
        payload = payload.root
    if tensor.datatype == "BYTES":
        return pd.Series(payload)
    if isinstance(payload, np.ndarray):
        payload = payload.reshape(tensor.shape[0], 1).squeeze(axis=1)
    return pd.Series(payload, dtype=NUMPY_TYPES[tensor.datatype])


def _frame(tensors: list[Foreign]) -> Foreign:
    try:
        return pd.DataFrame({tensor.name: _series(tensor) for tensor in tensors})
    except ValueError as error:
        raise CodecError(f"the tensors are no columns of one data frame: {error}") from None


def _column(series: Foreign, use_bytes: bool) -> ResponseOutput:
    # pandas' own types: nullable numbers know numpy's, text is bytes.
    dtype = (
        series.dtype if isinstance(series.dtype, np.dtype) else getattr(series.dtype, "numpy_dtype", np.dtype(object))
    )
    datatype = to_datatype(dtype)
    data = series.tolist()
    if series.isnull().any():
        data = [convert_nan(each) for each in data]
    content_type = None
    if datatype is Datatype.BYTES:
        if all(isinstance(each, str | bytes) for each in data):
            content_type = StringCodec.ContentType
            data = [encode_str(each) if use_bytes and isinstance(each, str) else each for each in data]
        else:
            content_type = _JSON
            data = [encode_to_json(each, use_bytes) for each in data]
    return ResponseOutput(
        name=series.name,
        shape=inject_batch_dimension(list(series.shape)),
        data=data,
        datatype=datatype,
        parameters=Parameters(content_type=content_type) if content_type else None,
    )


@register_request_codec
class PandasCodec(RequestCodec):
    """A data frame as a request or response, a tensor a column; columns of mixed objects are JSON."""

    ContentType = "pd"
    JsonContentType = _JSON
    TypeHint = pd.DataFrame

    @classmethod
    def can_encode(cls, payload: Foreign) -> bool:
        """Take data frames."""
        return isinstance(payload, pd.DataFrame)

    @classmethod
    def encode_response(
        cls,
        model_name: str,
        payload: Foreign,
        model_version: str | None = None,
        use_bytes: bool = True,
        **_: Foreign,
    ) -> InferenceResponse:
        """Make a response of a data frame."""
        made: InferenceResponse = InferenceResponse(
            model_name=model_name,
            model_version=model_version,
            parameters=Parameters(content_type=cls.ContentType),
            outputs=cls.encode_outputs(payload, use_bytes=use_bytes),
        )
        return made

    @classmethod
    def decode_response(cls, response: InferenceResponse) -> Foreign:
        """Return a response as a data frame."""
        return _frame(response.outputs)

    @classmethod
    def encode_outputs(cls, payload: Foreign, use_bytes: bool = True) -> list[ResponseOutput]:
        """Make an output of each column."""
        return [_column(payload[name], use_bytes) for name in payload]

    @classmethod
    def encode_request(cls, payload: Foreign, use_bytes: bool = True, **_: Foreign) -> InferenceRequest:
        """Make a request of a data frame."""
        outputs = cls.encode_outputs(payload, use_bytes=use_bytes)
        return InferenceRequest(
            parameters=Parameters(content_type=cls.ContentType),
            inputs=[RequestInput(**output.__getstate__()) for output in outputs],
        )

    @classmethod
    def decode_request(cls, request: InferenceRequest) -> Foreign:
        """Return a request as a data frame."""
        return _frame(request.inputs)
