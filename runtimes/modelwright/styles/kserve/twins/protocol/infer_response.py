"""InferResponse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.errors import InvalidInput
from modelwright.styles.kserve.twins.protocol import forms
from modelwright.styles.kserve.twins.protocol.fields import ResponseFields
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferOutput
from modelwright.styles.kserve.twins.protocol.parameters import to_grpc_parameters, to_http_parameters
from modelwright.styles.kserve.twins.protocol.pickled import Pickled, made_from_grpc


class InferResponse(Pickled, ResponseFields):
    """One V2 answer."""

    __module__ = "kserve.protocol.infer_type"
    FIELDS = (
        "id", "model_name", "model_version", "outputs", "parameters", "from_grpc", "_requested_outputs",
        "_use_binary_outputs",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - kserve's own arguments
        self,
        response_id: str | None,
        model_name: str,
        infer_outputs: list[InferOutput],
        model_version: str | None = None,
        raw_outputs: Foreign = None,
        from_grpc: bool = False,
        parameters: Foreign = None,
        use_binary_outputs: bool = False,
        requested_outputs: Sequence[Any] | None = None,
    ) -> None:
        self.id = response_id
        self.model_name = model_name
        self.model_version = model_version
        self.outputs = infer_outputs
        self.parameters = parameters
        self._from_grpc = from_grpc
        self._requested_outputs = requested_outputs
        self._use_binary_outputs = use_binary_outputs
        if raw_outputs:
            for infer_output, raw in zip(infer_outputs, raw_outputs, strict=False):
                infer_output._raw_data = raw

    @made_from_grpc
    def from_grpc(cls, response: Foreign) -> InferResponse:  # noqa: N805 - a class method
        """Make a response of a ModelInferResponse."""
        return cls(
            model_name=response.model_name,
            model_version=response.model_version,
            response_id=response.id,
            parameters=response.parameters,
            infer_outputs=forms.tensors_from_grpc(InferOutput, response.outputs),
            raw_outputs=response.raw_output_contents,
            from_grpc=True,
        )

    @classmethod
    def from_rest(cls, response: dict[str, Any]) -> InferResponse:
        """Make a response of a V2 JSON object."""
        return cls(
            model_name=response.get("model_name", ""),
            model_version=response.get("model_version"),
            response_id=response.get("id"),
            parameters=response.get("parameters"),
            infer_outputs=[
                InferOutput(part["name"], list(part["shape"]), part["datatype"], part["data"], part.get("parameters"))
                for part in response["outputs"]
            ],
        )

    @classmethod
    def from_bytes(cls, res_bytes: bytes, json_length: int) -> InferResponse:
        """Make a response of a body of JSON and raw tensors; raises InvalidInput where it is not one."""
        message = forms.parse(res_bytes, json_length)
        model_name = message["model_name"]
        return cls(
            model_name=model_name,
            response_id=message.get("id"),
            parameters=message.get("parameters"),
            infer_outputs=forms.tensors_from_rest(InferOutput, message["outputs"], res_bytes, json_length, model_name),
        )

    def to_rest(self) -> tuple[bytes | dict[str, Any], int | None]:
        """Return the JSON object, or bytes and the length of their JSON part where an output is raw.

        Raises InvalidInput for a requested output that is not there, InferenceError for data that does not fit.
        """
        parts, raw = [], []
        for output, binary in self._chosen():
            if isinstance(output.data, np.ndarray):
                output.set_data_from_numpy(output.data, binary_data=binary)
            elif output.data or output._raw_data:
                output.set_data_from_numpy(output.as_numpy(), binary_data=binary)
            parts.append(forms.rest_tensor(output, "output", self.model_name))
            if output._raw_data is not None:
                raw.append(output._raw_data)
        message: dict[str, Any] = {
            "id": self.id,
            "model_name": self.model_name,
            "model_version": self.model_version,
            "outputs": parts,
        }
        if self.parameters:
            message["parameters"] = to_http_parameters(self.parameters)
        return forms.with_raw(message, raw)

    def _chosen(self) -> list[tuple[InferOutput, bool]]:
        if not self._requested_outputs:
            return [(output, self._use_binary_outputs) for output in self.outputs]
        chosen = []
        for asked in self._requested_outputs:
            output = self.get_output_by_name(asked.name)
            if output is None:
                raise InvalidInput(f"Unexpected inference output '{asked.name}' for model '{self.model_name}'")
            chosen.append((output, bool(asked.binary_data)))
        return chosen

    def to_grpc(self) -> Foreign:
        """Return a ModelInferResponse, its contents raw where the request's were or where FP16 is among them."""
        from modelwright.styles.kserve.twins.protocol.grpc import grpc_predict_v2_pb2 as pb  # noqa: PLC0415

        raw_outputs = self._use_binary_outputs or any(output.datatype == "FP16" for output in self.outputs)
        for output in self.outputs:
            if raw_outputs and isinstance(output.data, list) and output.data:
                output.data = output.as_numpy()
        outputs, raw = forms.tensors_to_grpc(self.outputs)
        return pb.ModelInferResponse(
            id=self.id,
            model_name=self.model_name,
            model_version=self.model_version,
            outputs=outputs,
            raw_output_contents=raw,
            parameters=to_grpc_parameters(self.parameters) if self.parameters else None,
        )

    def get_output_by_name(self, name: str) -> InferOutput | None:
        """Return the output of that name, None where there is none."""
        return next((output for output in self.outputs if output.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the response as plain values."""
        return {
            "id": self.id,
            "model_name": self.model_name,
            "outputs": [output.to_dict() for output in self.outputs],
            "parameters": self.parameters,
            "from_grpc": self.from_grpc,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InferResponse) and all(
            getattr(self, name) == getattr(other, name)
            for name in ("model_name", "model_version", "id", "from_grpc", "parameters", "outputs")
        )

    __hash__ = None  # type: ignore[assignment]  # as the genuine one

    def __repr__(self) -> str:
        return (
            f'"id": "{self.id}","model_name": "{self.model_name}","outputs": {self.outputs!r},'
            f'"parameters": {self.parameters},"from_grpc": {self.from_grpc}'
        )
