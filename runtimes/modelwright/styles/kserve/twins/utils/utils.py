"""kserve.utils.utils: what models call to read their input and shape their answer."""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from modelwright.identities import random_uuid
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.constants.constants import PredictorProtocol
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.protocol.fields import (
    RequestFields,
    ResponseFields,
    TensorFields,
    holding,
    new_response,
)
from modelwright.styles.kserve.twins.protocol.infer_request import InferRequest
from modelwright.styles.kserve.twins.protocol.infer_response import InferResponse
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferOutput
from modelwright.styles.kserve.twins.protocol.parameters import plain
from modelwright.styles.kserve.twins.utils.numpy_codec import from_np_dtype

TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
# What kserve calls the first output of those that have no names.
_FIRST: Final = "output-0"
_Request: Final = InferRequest
_Response: Final = InferResponse
_Output: Final = InferOutput
_ndarray: Final = np.ndarray


def generate_uuid() -> str:
    """Return a new random id."""
    return random_uuid()


def strtobool(val: str) -> bool:
    """Return the truth that a word stands for; raises ValueError for a word that stands for none."""
    word = val.lower()
    if word in TRUE | FALSE:
        return word in TRUE
    raise ValueError(f"invalid truth value {val!r}")


def is_v2(protocol: str | PredictorProtocol) -> bool:
    """Tell whether it is V2 over REST."""
    return _names(protocol, PredictorProtocol.REST_V2)


def is_v1(protocol: str | PredictorProtocol) -> bool:
    """Tell whether it is V1."""
    return _names(protocol, PredictorProtocol.REST_V1)


def _names(protocol: str | PredictorProtocol, wanted: PredictorProtocol) -> bool:
    return protocol == wanted or (isinstance(protocol, str) and protocol.lower() == wanted.value)


def get_predict_input(payload: dict[str, Any] | InferRequest, columns: list[str] | None = None) -> Foreign:
    """Return what a model predicts on: an array, a list of strings, or a DataFrame where the payload asks for one.

    V1 instances that are objects become a DataFrame with `columns`; so does a V2 request of content type `pd`.
    """
    if isinstance(payload, dict):
        return _of_instances(payload["inputs"] if "inputs" in payload else payload["instances"], columns)
    if isinstance(payload, InferRequest):
        if payload.parameters and plain(payload.parameters.get("content_type")) == "pd":
            return payload.as_dataframe()
        first = payload.inputs[0]
        data = first.data if first.datatype == "BYTES" else None
        return data if data and isinstance(data[0], str) else first.as_numpy()
    return None


def _of_instances(instances: Foreign, columns: list[str] | None) -> Foreign:
    if len(instances) == 0:
        return np.array(instances)
    first = instances[0]
    if isinstance(first, dict) or (isinstance(first, list) and first and isinstance(first[0], dict)):
        # Only who sends rows with named columns pays for pandas.
        pandas = importlib.import_module("pandas")

        return pandas.concat([pandas.DataFrame(rows, columns=columns) for rows in instances], axis=0)
    return instances if isinstance(first, str) else np.array(instances)


def get_predict_response(payload: dict[str, Any] | InferRequest, result: Foreign, model_name: str) -> Foreign:
    """Return `result` as the protocol of `payload` has it: {"predictions": ...} or an InferResponse.

    Raises InvalidInput for a payload that is of neither protocol.
    """
    if isinstance(payload, dict):
        return {"predictions": _plain_rows(result)}
    if not isinstance(payload, _Request):
        raise InvalidInput(f"unsupported payload type {type(payload)}")
    asked: RequestFields = payload
    binary = bool(payload.use_binary_outputs) if asked.parameters or asked._from_grpc else False
    # Without the constructor, whose arguments by name cost as much as a small model does.
    made: ResponseFields = new_response(_Response)
    made.id = asked.id or random_uuid()
    made.model_name = model_name
    made.model_version = made.parameters = None
    if type(result) is _ndarray:
        made.outputs = [_output(_FIRST, result, binary)]
    else:
        made.outputs = [_output(name, array, binary) for name, array in _named_arrays(result).items()]
    made._requested_outputs = asked.request_outputs
    made._use_binary_outputs = binary
    made._from_grpc = False
    return made


def _plain_rows(result: Foreign) -> Foreign:
    if _is_frame(result):
        return [row.to_dict() for _, row in result.iterrows()]
    return result.tolist() if isinstance(result, np.ndarray) else result


def _named_arrays(result: Foreign) -> dict[str, np.ndarray[Any, Any]]:
    if _is_frame(result):
        return {name: result[name].to_numpy() for name in result.columns}
    if isinstance(result, list) and result and isinstance(result[0], str):
        return {_FIRST: np.array(result, dtype=np.object_)}
    return {_FIRST: np.array(result) if isinstance(result, list) else result}


def _output(name: str, array: np.ndarray[Any, Any], binary: bool) -> TensorFields:
    datatype = from_np_dtype(array.dtype) or ""
    shape = list(array.shape)
    if not binary and datatype not in ("BYTES", ""):
        # What `set_data_from_numpy` does with a tensor whose type and shape are the array's own.
        return holding(_Output, name, shape, datatype, array.copy(), nested=False)
    output = InferOutput(name=name, shape=shape, datatype=datatype)
    output.set_data_from_numpy(array, binary_data=binary)
    return output


def _is_frame(result: Foreign) -> bool:
    # Told by its methods: importing pandas to ask would cost more than the answer.
    return hasattr(result, "iterrows") and hasattr(result, "columns")
