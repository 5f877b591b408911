"""A curl command for a model, to be copied from the log."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Final

from modelwright.model import Model, TensorMetadata

# What the examples of every style keep beside the model.
_FILE: Final = "input.json"
_LARGEST: Final = 1024 * 1024
# Elements; a request of more is no line for a log.
_LONGEST: Final = 64


def command(model: Model, origin: str, folder: Path) -> str:
    """Give a command that asks the model: with the request in `folder`, else with one of the shape that it declares."""
    file = folder / _FILE
    written = _read(file)
    if written is not None:
        return _post(model, origin, f"@{file}", v2=_is_v2(written))
    inputs = model.metadata().inputs
    samples = [_sample(each) for each in inputs]
    if samples and all(sample is not None for sample in samples):
        return _post(model, origin, json.dumps({"inputs": samples}), v2=True)
    return f"curl {origin}/v2/models/{model.name}"


def _post(model: Model, origin: str, data: str, *, v2: bool) -> str:
    path = f"/v2/models/{model.name}/infer" if v2 else f"/v1/models/{model.name}:predict"
    return f"curl {origin}{path} -d {shlex.quote(data)}"


def _read(file: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(file.read_bytes()) if file.stat().st_size <= _LARGEST else None
    except (OSError, ValueError):
        return None


def _is_v2(request: Any) -> bool:  # noqa: ANN401 - JSON
    inputs = request.get("inputs") if isinstance(request, dict) else None
    return isinstance(inputs, list) and bool(inputs) and isinstance(inputs[0], dict) and "datatype" in inputs[0]


def _sample(declared: TensorMetadata) -> dict[str, Any] | None:
    shape = [1 if length < 0 else length for length in declared.shape]
    count = 1
    for length in shape:
        count *= length
    if count > _LONGEST:
        return None
    value: object = "text" if declared.datatype == "BYTES" else (True if declared.datatype == "BOOL" else 1)
    return {"name": declared.name, "datatype": declared.datatype, "shape": shape, "data": [value] * count}
