"""A request's tensors or JSON as the entry point's arguments, each in the form that its hint names."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from modelwright.codecs.describe import describe
from modelwright.codecs.numbers import read_data
from modelwright.errors import InvalidInput
from modelwright.model import Payload
from modelwright.styles.nemo_curator.hints import Form, Hint
from modelwright.styles.nemo_curator.signature import Parameter
from modelwright.tensors import Array, InferenceRequest, Tensor

Given = tuple[list[Any], dict[str, Any]]
_DEEPEST: Final = 32


class Taking:
    """How one entry point is called."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._parameters = parameters
        self._expected = ", ".join(each.name for each in parameters) or "none"
        tensors = [each for each in parameters if each.required]
        # The only input there is may come under any name: nothing else can be meant.
        self._only = tensors[0] if len(tensors) == 1 else None
        # Most models take one array and nothing else: what every request of theirs is spared.
        self._lone = parameters[0] if len(parameters) == 1 and parameters[0].positional else None

    def of_tensors(self, request: InferenceRequest) -> Given:
        """Give the arguments in a V2 request; values with a default may come as the request's parameters.

        Raises:
            InvalidInput: naming the input that is missing, unknown, or of another datatype or shape.

        """
        if self._lone is not None and len(request.inputs) == 1:
            return [_of_tensor(request.inputs[0], self._lone.hint)], {}
        given = {tensor.name: tensor for tensor in request.inputs}
        if self._only is not None and len(given) == 1 and not self._knows(given):
            given = {self._only.name: request.inputs[0]}
        values = {
            each.name: _of_tensor(given.pop(each.name), each.hint) for each in self._parameters if each.name in given
        }
        for name in given:
            raise InvalidInput(f"input {name!r} is none of the model's; its inputs: {self._expected}")
        return self._called(values, request.parameters)

    def of_json(self, payload: Payload) -> Given:
        """Give the arguments in a V1 body: `instances` by rows, or `inputs` by columns, and `parameters` beside them.

        Raises:
            InvalidInput: naming the field and what was expected.

        """
        if not isinstance(payload, dict) or not payload.keys() & {"instances", "inputs"}:
            raise InvalidInput("the body must be a JSON object with 'instances' or 'inputs'")
        options = payload.get("parameters") or {}
        if not isinstance(options, dict):
            raise InvalidInput(f"'parameters' must be an object, not {describe(options)}")
        columns = self._columns(payload["inputs"]) if "inputs" in payload else self._rows(payload["instances"])
        values = {each.name: _of_json(columns[each.name], each) for each in self._parameters if each.name in columns}
        return self._called(values, options)

    def _columns(self, inputs: object) -> Mapping[str, Any]:
        if isinstance(inputs, dict) and self._knows(inputs):
            return self._all_known(inputs, "'inputs'")
        if self._only is None:
            raise InvalidInput(f"'inputs' must be an object with the model's inputs: {self._expected}")
        return {self._only.name: inputs}

    def _rows(self, instances: Sequence[Any]) -> Mapping[str, Any]:
        rows = [row for row in instances if isinstance(row, dict) and self._knows(row)]
        if not rows or len(rows) < len(instances):
            if self._only is None:
                raise InvalidInput(f"each of 'instances' must be an object with the model's inputs: {self._expected}")
            return {self._only.name: instances}
        names = rows[0].keys()
        for index, row in enumerate(rows):
            self._all_known(row, f"'instances[{index}]'")
            if row.keys() != names:
                raise InvalidInput(f"'instances[{index}]' has other inputs than the first one: {', '.join(names)}")
        return {name: [row[name] for row in rows] for name in names}

    def _all_known(self, given: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        known = {each.name for each in self._parameters}
        for name in given.keys() - known:
            raise InvalidInput(f"{where} has {name!r}, which is none of the model's inputs: {self._expected}")
        return given

    def _knows(self, given: Mapping[str, Any]) -> bool:
        return any(each.name in given for each in self._parameters)

    def _called(self, values: dict[str, Any], options: Mapping[str, Any]) -> Given:
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for each in self._parameters:
            value = values.get(each.name, each.default)
            if each.name not in values:
                if each.hint.form is Form.VALUE and each.name in options:
                    value = _option(each, options[each.name])
                elif each.required:
                    raise InvalidInput(f"input {each.name!r} is missing; the model's inputs: {self._expected}")
            if each.positional:
                positional.append(value)
            else:
                named[each.name] = value
        return positional, named


def _of_tensor(tensor: Tensor, hint: Hint) -> Any:  # noqa: ANN401 - the author's own type
    where = f"input {tensor.name!r}"
    if hint.strict and hint.datatype is not None and tensor.datatype != hint.datatype:
        raise InvalidInput(f"{where} has datatype {tensor.datatype}; expected {hint.datatype}")
    if hint.form in (Form.ARRAY, Form.TORCH, Form.ARRAYS):
        return _array_form(tensor.data, hint.form)
    values: list[Any] = tensor.data.ravel().tolist()
    if hint.form is Form.OBJECTS:
        return [_object(f"{where}, element {index}", text) for index, text in enumerate(values)]
    if hint.text:
        values = [_text(where, each) for each in values]
    if hint.form is Form.VALUES:
        return values
    if len(values) != 1:
        raise InvalidInput(f"{where} has {len(values)} elements; the model takes one")
    return values[0]


def _array_form(array: Array, form: Form) -> Any:  # noqa: ANN401 - the author's own type
    # What came as bytes is a view of the request's body; authors' code writes into what it is given.
    array = array if array.flags.writeable else array.copy()
    if form is Form.ARRAYS:
        return list(array)
    if form is Form.TORCH:
        # The author's library, which the author's file has imported.
        return importlib.import_module("torch").from_numpy(np.ascontiguousarray(array))
    return array


def _of_json(value: object, parameter: Parameter) -> Any:  # noqa: ANN401 - the author's own type
    hint, where = parameter.hint, f"input {parameter.name!r}"
    if hint.form in (Form.ARRAY, Form.TORCH, Form.ARRAYS):
        return _array_form(_array(where, hint.datatype, value), hint.form)
    values: list[Any] = value if isinstance(value, list) else [value]
    if hint.form is Form.OBJECTS:
        if not all(isinstance(each, dict) for each in values):
            raise InvalidInput(f"{where} must be a list of JSON objects")
        return values
    found, _ = read_data(where, str(hint.datatype), (len(values),), values)
    return _of_tensor(Tensor(parameter.name, str(hint.datatype), found.shape, found), hint)


def _array(where: str, datatype: str | None, value: object) -> Array:
    shape: list[int] = []
    inner: Any = value if isinstance(value, list) else [value]
    while isinstance(inner, list) and len(shape) < _DEEPEST:
        shape.append(len(inner))
        inner = inner[0] if inner else None
    items = value if isinstance(value, list) else [value]
    if datatype is not None:
        return read_data(where, datatype, tuple(shape), items)[0].reshape(shape)
    try:
        array = np.asarray(items)
    except ValueError:
        raise InvalidInput(f"{where} is ragged: lists of one level must be of one length") from None
    if array.dtype.kind == "O":
        raise InvalidInput(f"{where} must be numbers, or lists of them, all of one kind")
    return array


def _option(parameter: Parameter, value: object) -> object:
    found, _ = read_data(f"parameter {parameter.name!r}", str(parameter.hint.datatype), (1,), [value])
    return _of_tensor(Tensor(parameter.name, str(parameter.hint.datatype), (1,), found), parameter.hint)


def _object(where: str, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise InvalidInput(f"{where} is no JSON") from None
    if not isinstance(document, dict):
        raise InvalidInput(f"{where} must be a JSON object")
    return document


def _text(where: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{where} is not UTF-8 text") from None
