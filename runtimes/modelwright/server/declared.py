"""Requests held against the inputs that a model declares."""

from modelwright.errors import InvalidInput
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import InferenceRequest, Tensor


def check(request: InferenceRequest, described: ModelMetadata) -> None:
    """Check names, datatypes and shapes; a model that declares no inputs, or none that bind, takes any.

    Raises:
        InvalidInput: naming the input and what was expected.

    """
    if not described.inputs or not described.binding:
        return
    given = {tensor.name: tensor for tensor in request.inputs}
    expected = ", ".join(each.name for each in described.inputs)
    for each in described.inputs:
        tensor = given.pop(each.name, None)
        if tensor is None:
            raise InvalidInput(f"input {each.name!r} is missing; the model's inputs: {expected}")
        _fits(tensor, each)
    for name in given:
        raise InvalidInput(f"input {name!r} is none of the model's; its inputs: {expected}")


def _fits(tensor: Tensor, declared: TensorMetadata) -> None:
    if tensor.datatype != declared.datatype:
        raise InvalidInput(f"input {tensor.name!r} has datatype {tensor.datatype}; expected {declared.datatype}")
    same = len(tensor.shape) == len(declared.shape) and all(
        wanted in (-1, length) for length, wanted in zip(tensor.shape, declared.shape, strict=True)
    )
    if not same:
        raise InvalidInput(
            f"input {tensor.name!r} has shape {list(tensor.shape)}; expected {list(declared.shape)} (-1 is any length)"
        )
