"""What the author's method returned becomes a response: InferResponse, V2 dict, predictions, array or list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from modelwright.errors import InferenceError
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.protocol.fields import ResponseFields, TensorFields
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.styles.kserve.twins.protocol.parameters import to_http_parameters
from modelwright.styles.kserve.twins.utils.numpy_codec import from_np_dtype
from modelwright.tensors import NUMPY_TYPES, Array, InferenceRequest, InferenceResponse, Tensor

TEXT_OUTPUT = "text_output"
_Response: Final = InferResponse
_Answer: Final = InferenceResponse
_Tensor: Final = Tensor
_FORMS: Final = "an InferResponse, a dict with 'outputs' or 'predictions', a numpy array or a list"


def infer_response(result: Foreign, request: InferenceRequest, headers: dict[str, str]) -> InferenceResponse:
    """Convert what a handler returned for a V2 request.

    Raises InferenceError (500), naming the output, where the author's answer is none: the caller cannot mend it.
    """
    if isinstance(result, _Response):
        made: ResponseFields = result
        parameters = made.parameters
        return _Answer(
            request.model_name,
            [_of_output(output) for output in made.outputs],
            made.id or request.id,
            made.model_version or None,
            to_http_parameters(parameters) if parameters else {},
            headers,
        )
    if hasattr(result, "raw_output_contents"):
        return infer_response(InferResponse.from_grpc(result), request, headers)
    if isinstance(result, Mapping) and "outputs" in result:
        outputs = [_of_part(part, index) for index, part in enumerate(result["outputs"])]
        known = (result.get("id"), result.get("model_version"), result.get("parameters"))
    else:
        outputs = [_of_values("output-0", result["predictions"] if _has_predictions(result) else result)]
        known = (None, None, None)
    return InferenceResponse(
        model_name=request.model_name,
        outputs=outputs,
        id=known[0] or request.id,
        model_version=known[1] or None,
        parameters=to_http_parameters(known[2]) if known[2] else {},
        headers=headers,
    )


def piece_response(piece: Foreign, request: InferenceRequest, headers: dict[str, str]) -> InferenceResponse:
    """Convert one piece of a stream: text becomes the output `text_output`, the rest is what `infer_response` takes.

    The name is that of Triton's generate extension.
    """
    if isinstance(piece, str | bytes):
        piece = {"outputs": [{"name": TEXT_OUTPUT, "shape": [1], "datatype": "BYTES", "data": [piece]}]}
    return infer_response(piece, request, headers)


def _has_predictions(result: Foreign) -> bool:
    return isinstance(result, Mapping) and "predictions" in result


def _of_output(output: Foreign) -> Tensor:
    made: TensorFields = output
    datatype, held = made._datatype, made._array
    if held is not None and made._raw_data is None and made._data is None and not made._parameters:
        # What the twins hold fits the datatype; the shape is the author's to change.
        shape = tuple(made._shape)
        if held.shape == shape and datatype != "BYTES":
            return _Tensor(made._name, datatype, shape, held, {})
    if output.is_empty:
        raise InferenceError(f"output {output.name!r} of the model has no data")
    # Not `output.data`: reading it would make a list of what the server holds as an array.
    given = made._data if made._raw_data is None else None
    if isinstance(given, np.ndarray) and (actual := from_np_dtype(given.dtype)) != datatype:
        raise InferenceError(
            f"output {output.name!r}: got unexpected datatype {actual} from numpy array, expected {datatype}"
        )
    try:
        array = output.as_numpy()
    except ValueError as error:
        raise InferenceError(f"output {output.name!r} of the model: {error}") from error
    return _tensor(output.name, datatype, output.shape, array, output.parameters)


def _of_part(part: Mapping[str, Any], index: int) -> Tensor:
    name = part.get("name") or f"output-{index}"
    values = part.get("data")
    if values is None and part.get("contents"):
        # gRPC's form, as KServe's documents have a model return it: one list under the datatype's own name.
        values = next(iter(part["contents"].values()))
    if values is None:
        raise InferenceError(f"output {name!r} of the model has neither 'data' nor 'contents'")
    if "datatype" not in part:
        made = _of_values(name, values)
        return _tensor(name, made.datatype, part.get("shape", made.shape), made.data, part.get("parameters"))
    dtype = NUMPY_TYPES.get(str(part["datatype"]).upper())
    if dtype is None:
        raise InferenceError(f"output {name!r} of the model has the unknown datatype {part['datatype']!r}")
    try:
        array = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InferenceError(f"output {name!r} of the model is not {part['datatype']}: {error}") from error
    shape = part.get("shape", array.shape)
    return _tensor(name, str(part["datatype"]).upper(), shape, array, part.get("parameters"))


def _of_values(name: str, values: Foreign) -> Tensor:
    if not isinstance(values, np.ndarray | list | tuple | int | float | np.generic):
        raise InferenceError(f"the model answered a V2 request with {type(values).__name__}; return {_FORMS}")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InferenceError(f"output {name!r} of the model is ragged; return {_FORMS}") from error
    datatype = from_np_dtype(array.dtype)
    if datatype is None or (datatype == "BYTES" and not _all_text(array)):
        raise InferenceError(f"output {name!r} of the model holds what no V2 datatype can; return {_FORMS}")
    return _tensor(name, datatype, array.shape, array, None)


def _all_text(array: Array) -> bool:
    return all(isinstance(item, str | bytes) for item in array.ravel().tolist())


def _tensor(name: str, datatype: str, shape: Foreign, array: Array, parameters: Foreign) -> Tensor:
    lengths = tuple(map(int, shape))
    if math.prod(lengths) != array.size:
        raise InferenceError(
            f"output {name!r} of the model has {array.size} elements; its shape {list(lengths)} says otherwise"
        )
    kept = to_http_parameters(parameters) if parameters else {}
    # How an output travels is for the caller to ask and the codec to write.
    kept.pop("binary_data_size", None)
    data = _as_bytes(array) if datatype == "BYTES" else array
    return Tensor(name, datatype, lengths, data if data.shape == lengths else data.reshape(lengths), kept)


def _as_bytes(array: Array) -> Array:
    made = np.empty(array.size, dtype=object)
    made[:] = [item if isinstance(item, bytes) else str(item).encode("utf-8") for item in array.ravel().tolist()]
    return made
