"""The V2 REST body, JSON with or without binary tensors behind it, to a request; and a response to a body.

Sources: the Open Inference Protocol's HTTP/REST "Inference Request JSON Object", and the binary tensor extension,
where the header ``Inference-Header-Content-Length`` says how many bytes of the body are JSON. A float that is NaN
or infinite has no JSON form and is written as null, as KServe does; the binary form carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelwright.codecs import numbers
from modelwright.codecs.binary import read_raw
from modelwright.codecs.describe import describe, quote
from modelwright.codecs.document import Document, read_document
from modelwright.codecs.few_floats import few_floats
from modelwright.codecs.shapes import read_shape
from modelwright.codecs.writing import HEADER_LENGTH, encode
from modelwright.errors import InvalidInput
from modelwright.tensors import (
    NUMPY_TYPES,
    Array,
    InferenceRequest,
    InferenceResponse,
    Parameters,
    RequestedOutput,
    Tensor,
)

__all__ = ["HEADER_LENGTH", "decode", "decode_response", "encode"]

# It only says how the body was written, and means nothing to a model.
_SIZE: Final = "binary_data_size"


def decode(body: bytes | memoryview, headers: Mapping[str, str], *, model_name: str = "") -> InferenceRequest:
    """Return the request in a body. Header names are lower-case.

    Binary tensors are read-only views of `body`, which they keep alive. Raises InvalidInput naming the tensor and
    what was expected.
    """
    text, rest = _split(body, headers)
    document = read_document(text, "inputs")
    inputs = _Tensors(document, "inputs", rest).read()
    if not inputs:
        raise InvalidInput("'inputs' is empty; at least one tensor was expected")
    return InferenceRequest(
        model_name,
        inputs,
        _optional_text(document.fields, "id"),
        _parameters("the body", document.fields),
        _requested(document.fields.get("outputs")),
        headers,
    )


def decode_response(body: bytes | memoryview, headers: Mapping[str, str]) -> InferenceResponse:
    """Return the response in a body that another server sent. Raises InvalidInput as `decode` does."""
    text, rest = _split(body, headers)
    document = read_document(text, "outputs")
    outputs = _Tensors(document, "outputs", rest).read()
    return InferenceResponse(
        _optional_text(document.fields, "model_name") or "",
        outputs,
        _optional_text(document.fields, "id"),
        _optional_text(document.fields, "model_version"),
        _parameters("the body", document.fields),
        dict(headers),
    )


def _split(body: bytes | memoryview, headers: Mapping[str, str]) -> tuple[bytes | memoryview, memoryview | None]:
    """Return the JSON, and what follows it; None where no header says that anything does."""
    length = headers.get(HEADER_LENGTH)
    if length is None:
        return body, None
    # Digits of other scripts are digits to `str.isdigit`, and a very long number costs a quadratic conversion.
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else -1
    if not 0 < size <= len(body):
        raise InvalidInput(
            f"the header Inference-Header-Content-Length must be the bytes of JSON at the start of the body, "
            f"from 1 to {len(body)}, not {quote(length)}"
        )
    view = memoryview(body)
    return view[:size], view[size:]


class _Tensors:
    """Reads a document's tensors in order, each binary one from where the last ended."""

    def __init__(self, document: Document, field: str, rest: memoryview | None) -> None:
        self._document = document
        self._field = field
        self._rest = rest
        self._offset = 0
        # The arrays seen in the text so far: the list of tensors is the first.
        self._arrays = 1
        self._names: set[str] = set()

    def read(self) -> list[Tensor]:
        tensors = [self._tensor(index, item) for index, item in enumerate(self._document.tensors)]
        if self._rest is not None and self._offset != len(self._rest):
            raise InvalidInput(
                f"the body has {len(self._rest)} bytes after its JSON, but the tensors' 'binary_data_size' "
                f"add up to {self._offset}"
            )
        self._check_mixed()
        return tensors

    def _tensor(self, index: int, item: dict[str, Any]) -> Tensor:
        # Where nobody counts the arrays seen, none of the text being simdjson's.
        plain = few_floats(item) if self._document.brackets is None else None
        if plain is not None and plain.name not in self._names:
            self._names.add(plain.name)
            return plain
        name = item.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"{self._field}[{index}]: 'name' must be a string, not {describe(name)}")
        where = self._where(name)
        if name in self._names:
            raise InvalidInput(f"{where} is there twice; names must differ")
        self._names.add(name)
        datatype = item.get("datatype")
        if not isinstance(datatype, str) or datatype not in NUMPY_TYPES:
            known = ", ".join(NUMPY_TYPES)
            raise InvalidInput(f"{where}: 'datatype' must be one of {known}, not {describe(datatype)}")
        if "shape" not in item:
            raise InvalidInput(f"{where} has no 'shape'; a list of integers was expected")
        shape = read_shape(where, item["shape"])
        parameters = _parameters(where, item)
        data = self._data(where, datatype, shape, item, parameters)
        parameters.pop(_SIZE, None)
        return Tensor(name, datatype, shape, data, parameters)

    def _where(self, name: str) -> str:
        return f"{self._field[:-1]} {quote(name)}"

    def _data(
        self, where: str, datatype: str, shape: tuple[int, ...], item: dict[str, Any], parameters: Parameters
    ) -> Array:
        if _SIZE in parameters:
            if "data" in item:
                raise InvalidInput(f"{where} has both 'data' and 'binary_data_size'; send one of them")
            return read_raw(where, datatype, shape, self._raw(where, parameters[_SIZE]))
        if "data" not in item:
            raise InvalidInput(f"{where} has no 'data'; {datatype} elements, flat or nested, were expected")
        data, arrays = numbers.read_data(where, datatype, shape, item["data"])
        self._arrays += arrays + 1
        return data

    def _raw(self, where: str, size: object) -> memoryview:
        if self._rest is None:
            raise InvalidInput(
                f"{where} has 'binary_data_size', but the request has no header Inference-Header-Content-Length"
            )
        if type(size) is not int or size < 0:
            raise InvalidInput(f"{where}: 'binary_data_size' must be a number of bytes, not {describe(size)}")
        left = len(self._rest) - self._offset
        if size > left:
            raise InvalidInput(f"{where}: 'binary_data_size' says {size} bytes, but only {left} are left in the body")
        raw = self._rest[self._offset : self._offset + size]
        self._offset += size
        return raw

    def _check_mixed(self) -> None:
        """Look for lists among numbers, but only where the text holds more brackets than the arrays seen."""
        if self._document.brackets is None or self._document.brackets == self._arrays:
            return
        for item in self._document.tensors:
            numbers.check_leaves(self._where(item["name"]), item.get("data"))


def _requested(value: object) -> list[RequestedOutput]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput(f"'outputs' must be a list of objects, not {describe(value)}")
    requested: dict[str, RequestedOutput] = {}
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise InvalidInput(f"outputs[{index}] must be an object, not {describe(item)}")
        name = item.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"outputs[{index}]: 'name' must be a string, not {describe(name)}")
        if name in requested:
            raise InvalidInput(f"output {quote(name)} is asked for twice")
        parameters = _parameters(f"output {quote(name)}", item)
        _check_flag(f"output {quote(name)}", parameters, "binary_data")
        requested[name] = RequestedOutput(name, parameters)
    return list(requested.values())


def _parameters(where: str, item: dict[str, Any]) -> Parameters:
    value = item.get("parameters")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: 'parameters' must be an object, not {describe(value)}")
    _check_flag(where, value, "binary_data_output")
    return value


def _check_flag(where: str, parameters: Parameters, key: str) -> None:
    if not isinstance(parameters.get(key, False), bool):
        raise InvalidInput(f"{where}: {key!r} must be true or false, not {describe(parameters[key])}")


def _optional_text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{key!r} must be a string, not {describe(value)}")
    return value
