"""InferRequest, and the outputs that it asks for."""

from __future__ import annotations

import importlib
from typing import Any

from modelwright.identities import random_uuid
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.protocol import forms
from modelwright.styles.kserve.twins.protocol.fields import RequestFields
from modelwright.styles.kserve.twins.protocol.infer_tensor import InferInput
from modelwright.styles.kserve.twins.protocol.parameters import plain, to_grpc_parameters, to_http_parameters
from modelwright.styles.kserve.twins.protocol.pickled import Pickled, made_from_grpc


class RequestedOutput:
    """An output that the caller asked for by name."""

    __module__ = "kserve.protocol.infer_type"

    def __init__(self, name: str, parameters: dict[str, Any] | None = None) -> None:
        self._name = name
        self._parameters = parameters

    @property
    def name(self) -> str:
        """The output's name."""
        return self._name

    @property
    def parameters(self) -> Foreign:
        """Additional parameters, or None."""
        return self._parameters

    @parameters.setter
    def parameters(self, params: Foreign) -> None:
        self._parameters = params

    @property
    def binary_data(self) -> bool | None:
        """Whether the binary form is asked for; None where the caller did not say."""
        return self.parameters.get("binary_data") if self.parameters else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RequestedOutput) and self.name == other.name and self.parameters == other.parameters

    __hash__ = None  # type: ignore[assignment]  # as the genuine one

    def __repr__(self) -> str:
        return f"RequestedOutput(name={self.name}, parameters={self.parameters})"


class InferRequest(Pickled, RequestFields):
    """One V2 request."""

    __module__ = "kserve.protocol.infer_type"
    FIELDS = (
        "id", "model_name", "inputs", "parameters", "from_grpc", "_use_raw_outputs", "request_outputs", "model_version",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - kserve's own arguments
        self,
        model_name: str,
        infer_inputs: list[InferInput],
        request_id: str | None = None,
        raw_inputs: Foreign = None,
        from_grpc: bool = False,
        parameters: Foreign = None,
        request_outputs: list[RequestedOutput] | None = None,
        model_version: str | None = None,
    ) -> None:
        self.id = request_id
        self.model_name = model_name
        self.inputs = infer_inputs
        self.parameters = parameters
        self._from_grpc = from_grpc
        self._use_raw_outputs = bool(raw_inputs)
        if raw_inputs:
            for infer_input, raw in zip(infer_inputs, raw_inputs, strict=False):
                infer_input._raw_data = raw
        self.request_outputs = request_outputs
        self.model_version = model_version

    @property
    def use_binary_outputs(self) -> bool:
        """Whether all outputs are to be raw: the caller's parameter over REST, as the inputs came over gRPC."""
        if self._from_grpc:
            return bool(self._use_raw_outputs)
        return bool(plain(self.parameters.get("binary_data_output", False))) if self.parameters else False

    @made_from_grpc
    def from_grpc(cls, request: Foreign) -> InferRequest:  # noqa: N805 - a class method
        """Make a request of a ModelInferRequest."""
        outputs = [
            RequestedOutput(output.name, to_http_parameters(output.parameters) if output.parameters else None)
            for output in request.outputs
        ]
        return cls(
            request_id=request.id,
            model_name=request.model_name,
            infer_inputs=forms.tensors_from_grpc(InferInput, request.inputs),
            raw_inputs=request.raw_input_contents,
            from_grpc=True,
            parameters=request.parameters,
            request_outputs=outputs or None,
            model_version=request.model_version,
        )

    @classmethod
    def from_bytes(cls, req_bytes: bytes, json_length: int, model_name: str) -> InferRequest:
        """Make a request of a body of JSON and raw tensors; raises InvalidInput where it is not one."""
        message = forms.parse(req_bytes, json_length)
        outputs = message.get("outputs")
        return cls(
            model_name=model_name,
            request_id=message.get("id"),
            parameters=message.get("parameters"),
            infer_inputs=forms.tensors_from_rest(InferInput, message["inputs"], req_bytes, json_length, model_name),
            request_outputs=None
            if outputs is None
            else [RequestedOutput(output["name"], output.get("parameters")) for output in outputs],
        )

    @classmethod
    def from_inference_request(cls, request: Foreign, model_name: str) -> InferRequest:
        """Make a request of the genuine server's parsed REST body."""
        return cls(
            request_id=request.id,
            model_name=model_name,
            infer_inputs=[
                InferInput(part.name, part.shape, part.datatype, part.data, part.parameters or {})
                for part in request.inputs
            ],
            parameters=request.parameters,
            request_outputs=[RequestedOutput(part.name, part.parameters or {}) for part in request.outputs or ()]
            or None,
        )

    def to_rest(self) -> tuple[bytes | dict[str, Any], int | None]:
        """Return the JSON object, or bytes and the length of their JSON part where an input is raw."""
        parts = []
        for tensor in self.inputs:
            if hasattr(tensor.data, "dtype"):
                tensor.set_data_from_numpy(tensor.data, binary_data=False)
            parts.append(forms.rest_tensor(tensor, "input", self.model_name))
        message: dict[str, Any] = {
            "id": self.id or random_uuid(),
            "model_name": self.model_name,
            "inputs": parts,
        }
        if self.request_outputs:
            message["outputs"] = [_asked(output, to_http_parameters) for output in self.request_outputs]
        if self.parameters:
            message["parameters"] = to_http_parameters(self.parameters)
        return forms.with_raw(message, [tensor._raw_data for tensor in self.inputs if tensor._raw_data is not None])

    def to_grpc(self) -> Foreign:
        """Return a ModelInferRequest."""
        from modelwright.styles.kserve.twins.protocol.grpc import grpc_predict_v2_pb2 as pb  # noqa: PLC0415

        inputs, raw = forms.tensors_to_grpc(self.inputs)
        return pb.ModelInferRequest(
            id=self.id,
            model_name=self.model_name,
            model_version=self.model_version,
            inputs=inputs,
            raw_input_contents=raw,
            parameters=to_grpc_parameters(self.parameters) if self.parameters else None,
            outputs=[_asked(output, to_grpc_parameters) for output in self.request_outputs or ()],
        )

    def as_dataframe(self) -> Foreign:
        """Return the inputs as the columns of a pandas DataFrame."""
        # Only who asks for pandas pays for it.
        pandas = importlib.import_module("pandas")

        columns = []
        for tensor in self.inputs:
            data = tensor.data
            if tensor.datatype == "BYTES":
                data = [item.decode("utf-8") if isinstance(item, bytes) else item for item in data]
            columns.append(pandas.DataFrame(data, columns=[tensor.name]))
        return pandas.concat(columns, axis=1)

    def get_input_by_name(self, name: str) -> InferInput | None:
        """Return the input of that name, None where there is none."""
        return next((tensor for tensor in self.inputs if tensor.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the request as plain values."""
        return {
            "id": self.id,
            "model_name": self.model_name,
            "inputs": [tensor.to_dict() for tensor in self.inputs],
            "parameters": self.parameters,
            "from_grpc": self.from_grpc,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InferRequest) and all(
            getattr(self, name) == getattr(other, name)
            for name in ("model_name", "id", "from_grpc", "parameters", "inputs", "request_outputs")
        )

    __hash__ = None  # type: ignore[assignment]  # as the genuine one

    def __repr__(self) -> str:
        return (
            f'"id": "{self.id}","model_name": "{self.model_name}","inputs": {self.inputs!r},'
            f'"parameters": {self.parameters},"from_grpc": {self.from_grpc}'
        )


def _asked(output: RequestedOutput, form: Foreign) -> dict[str, Any]:
    part: dict[str, Any] = {"name": output.name}
    if output.parameters:
        part["parameters"] = form(output.parameters)
    return part
