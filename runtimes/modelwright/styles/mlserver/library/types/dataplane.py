"""The data plane's documents: requests, responses, their tensors and parameters, and metadata."""

from __future__ import annotations

from enum import Enum
from operator import index
from typing import ClassVar

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.types.base import BaseModel, many, text
from modelwright.styles.mlserver.library.types.fields import HeldOutput, HeldRequest, HeldResponse, HeldTensor
from modelwright.styles.mlserver.library.types.tensor_data import TensorData


class Datatype(Enum):
    """The tensor datatypes that MLServer has."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


_DATATYPES = frozenset(each.value for each in Datatype)


class Later:
    """An attribute that is made when somebody looks at it, by what its object holds under the name with a `_` before.

    None where the object holds nothing there.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._maker = name, f"_{name}"

    def __get__(self, made: Parameters | None, kind: object = None) -> Foreign:
        make = made.__dict__.pop(self._maker, None) if made is not None else None
        if made is None or make is None:
            return None
        # From here on it is the object's own, which comes before this.
        found = made.__dict__[self._name] = make()
        return found


class Parameters(BaseModel):
    """`content_type`, `headers`, and whatever else a caller or an author puts there."""

    FIELDS: ClassVar[tuple[str, ...]] = ("content_type", "headers")
    content_type: str | None = None
    # Most models never look, and a request has a dozen.
    headers: Foreign = Later()

    def __init__(
        self, *, content_type: str | None = None, headers: dict[str, Foreign] | None = None, **extra: Foreign
    ) -> None:
        if content_type is not None:
            self.content_type = text("content_type", content_type)
        if headers is not None:
            if not isinstance(headers, dict):
                raise ValueError(f"headers must be a dictionary, not {type(headers).__name__}")
            self.__dict__["headers"] = headers
        if extra:
            self.__dict__.update(extra)

    def _values(self) -> dict[str, Foreign]:
        extra = {name: value for name, value in vars(self).items() if name not in self.FIELDS and name[0] != "_"}
        return {"content_type": self.content_type, "headers": self.headers, **extra}

    @property
    def model_extra(self) -> dict[str, Foreign]:
        """What is neither `content_type` nor `headers`."""
        return {name: value for name, value in self._values().items() if name not in self.FIELDS}


def of_arrays() -> Parameters:
    """Return the parameters of a tensor that an array was made into."""
    return Parameters(content_type="np")


def parameters_of(value: Foreign) -> Parameters | None:
    """Return parameters given as such or as a dictionary."""
    return value if value is None or type(value) is Parameters else Parameters.model_validate(value)


def _datatype(value: Foreign) -> str:
    known = value.value if isinstance(value, Datatype) else value
    if known not in _DATATYPES:
        raise ValueError(f"datatype must be one of {', '.join(sorted(_DATATYPES))}, not {value!r}")
    return str(known)


def _shape(value: Foreign) -> list[int]:
    try:
        return [index(each) for each in value]
    except TypeError:
        raise ValueError(f"shape must be a list of integers, not {value!r}") from None


class RequestOutput(BaseModel):
    """An output that a caller asks for."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "parameters")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("parameters",)

    def __init__(self, *, name: str, parameters: Foreign = None, **_: Foreign) -> None:
        self.name = text("name", name)
        self.parameters = parameters_of(parameters)


class MetadataTensor(BaseModel):
    """An input or output as a model declares it; -1 in `shape` is any length."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "datatype", "shape", "parameters")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("parameters",)

    def __init__(
        self, *, name: str, datatype: str | Datatype, shape: list[int], parameters: Foreign = None, **_: Foreign
    ) -> None:
        self.name = text("name", name)
        self.datatype = _datatype(datatype)
        self.shape = _shape(shape)
        self.parameters = parameters_of(parameters)


class _Tensor(BaseModel):
    FIELDS: ClassVar[tuple[str, ...]] = ("name", "shape", "datatype", "parameters", "data")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("parameters",)

    def __init__(
        self,
        *,
        name: str,
        shape: list[int],
        datatype: str | Datatype,
        data: Foreign,
        parameters: Foreign = None,
        **_: Foreign,
    ) -> None:
        self.name = text("name", name)
        self.shape = _shape(shape)
        self.datatype = _datatype(datatype)
        self.data = data if type(data) is TensorData else TensorData(data)
        self.parameters = parameters_of(parameters)


class RequestInput(_Tensor, HeldTensor):
    """One input; `data` has the elements flat, `datatype` is the name as text."""


class ResponseOutput(_Tensor, HeldOutput):
    """One output."""


class InferenceRequest(BaseModel, HeldRequest):
    """One request."""

    FIELDS: ClassVar[tuple[str, ...]] = ("id", "parameters", "inputs", "outputs")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("id", "parameters", "outputs")

    def __init__(
        self,
        *,
        inputs: Foreign,
        id: str | None = None,  # noqa: A002 - the document's own name
        parameters: Foreign = None,
        outputs: Foreign = None,
        **_: Foreign,
    ) -> None:
        self.id = id if id is None else text("id", id)
        self.parameters = parameters_of(parameters)
        self.inputs = many(RequestInput, "inputs", inputs)
        self.outputs = outputs if outputs is None else many(RequestOutput, "outputs", outputs)


class InferenceResponse(BaseModel, HeldResponse):
    """One answer. MLServer's own documentation leaves `model_name` out, which its code wants; here it may be absent."""

    FIELDS: ClassVar[tuple[str, ...]] = ("model_name", "model_version", "id", "parameters", "outputs")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("model_name", "model_version", "id", "parameters")

    # Not an `__init__` of the base's: any other method takes its keywords faster, once it is compiled.
    __init__ = HeldResponse._take

    def _parameters_of(self, given: Foreign) -> Parameters | None:
        return parameters_of(given)

    def _outputs_of(self, given: Foreign) -> list[ResponseOutput]:
        return many(ResponseOutput, "outputs", given)


class MetadataServerResponse(BaseModel):
    """What the server tells of itself."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "version", "extensions")

    def __init__(self, *, name: str, version: str, extensions: list[str], **_: Foreign) -> None:
        self.name, self.version, self.extensions = name, version, extensions


class MetadataModelResponse(BaseModel):
    """What a model tells of itself."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "versions", "platform", "inputs", "outputs", "parameters")

    def __init__(
        self,
        *,
        name: str,
        platform: str,
        versions: list[str] | None = None,
        inputs: Foreign = None,
        outputs: Foreign = None,
        parameters: Foreign = None,
        **_: Foreign,
    ) -> None:
        self.name, self.platform, self.versions = name, platform, versions
        self.inputs = inputs if inputs is None else many(MetadataTensor, "inputs", inputs)
        self.outputs = outputs if outputs is None else many(MetadataTensor, "outputs", outputs)
        self.parameters = parameters_of(parameters)


class _Refusal(BaseModel):
    FIELDS: ClassVar[tuple[str, ...]] = ("error",)

    def __init__(self, *, error: str | None = None, **_: Foreign) -> None:
        self.error = error


class MetadataServerErrorResponse(_Refusal):
    """Why there is no metadata of the server."""


class MetadataModelErrorResponse(_Refusal):
    """Why there is no metadata of the model."""


class InferenceErrorResponse(_Refusal):
    """Why there is no answer."""
