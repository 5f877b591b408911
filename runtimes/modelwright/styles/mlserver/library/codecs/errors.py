"""Why something could not be decoded or encoded."""

from __future__ import annotations

from collections.abc import Iterable

from modelwright.styles.mlserver.library.errors import MLServerError
from modelwright.styles.mlserver.library.types import RequestInput

_HINTS = "numpy.ndarray, list[str], list[bytes], list[datetime] and pandas.DataFrame"


class CodecNotFound(MLServerError):
    """No codec is known for a type, a content type or a payload."""

    def __init__(
        self,
        name: str | None = None,
        payload_type: str | None = None,
        is_input: bool = False,
        is_request: bool = False,
    ) -> None:
        which = f" with name {name!r}" if name else ""
        kind = f"{' and' if which else ' with'} type {payload_type}" if payload_type else ""
        field = ("input " if is_input else "output ") + (
            ("request" if is_input else "response") if is_request else "field"
        )
        super().__init__(f"Codec not found for {field}{which}{kind}; the built-in ones take {_HINTS}")


class CodecError(MLServerError):
    """A payload does not fit its codec."""

    def __init__(self, msg: str) -> None:
        super().__init__(f"There was an error encoding / decoding the payload: {msg}")


class OutputNotFound(MLServerError):
    """What `predict` returned is not what its signature says."""

    def __init__(self, output_idx: int, output_type: type, output_hints: Iterable[object]) -> None:
        expected = ", ".join(f"'{hint}'" for hint in output_hints) or "none"
        super().__init__(
            f"Unexpected output value at position '{output_idx}' ({output_type}). "
            f"Expected outputs are {expected} outputs."
        )


class InputsNotFound(MLServerError):
    """A request has inputs that the signature of `predict` does not name."""

    def __init__(self, inputs: Iterable[RequestInput], input_hints: Iterable[str]) -> None:
        names = ", ".join(repr(each.name) for each in inputs)
        available = ", ".join(map(repr, input_hints)) or "none"
        super().__init__(f"Input {names} was not found. Available inputs are {available}.")


class InputsMissing(MLServerError):
    """A request lacks inputs that `predict` has no default for; MLServer itself fails on it with a 500."""

    def __init__(self, names: Iterable[str], given: Iterable[str]) -> None:
        missing, there = ", ".join(map(repr, names)), ", ".join(map(repr, given)) or "no inputs"
        super().__init__(f"Input {missing} is missing; the request has {there}.")
