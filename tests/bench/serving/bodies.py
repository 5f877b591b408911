"""The requests: one FP32 tensor of [1,4] or [1,3,224,224], as JSON, as the binary extension, as gRPC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

SHAPES = {"small": (1, 4), "image": (1, 3, 224, 224)}
HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Body:
    """A request's body and headers."""

    content: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def tensor(size: str) -> np.ndarray:
    """Return the tensor; pixels as a client sends them, of 8 bits scaled to 0..1 and rounded to four digits."""
    random = np.random.default_rng(4)
    return (random.integers(0, 256, SHAPES[size]) / 255).round(4).astype(np.float32)


def total(size: str) -> float:
    """Return the first element of the right answer."""
    return float(tensor(size).sum(axis=-1).ravel()[0])


def numbers(answer: object) -> Iterator[float]:
    """Return all numbers in an answer, whatever its protocol."""
    if isinstance(answer, (int, float)):
        yield float(answer)
    elif isinstance(answer, str) and answer.startswith("{"):
        yield from numbers(json.loads(answer))
    elif isinstance(answer, (list, dict)):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from numbers(part)


def as_json(size: str) -> Body:
    """Return the request as V2 JSON."""
    array = tensor(size)
    data = [round(float(number), 4) for number in array.ravel()]
    shaped = {"name": "input-0", "shape": array.shape, "datatype": "FP32", "data": data}
    return Body(json.dumps({"inputs": [shaped]}, separators=(",", ":")).encode())


def as_binary(size: str) -> Body:
    """Return the request with the binary tensor extension both ways."""
    raw = tensor(size).tobytes()
    parameters = {"binary_data_size": len(raw)}
    shaped = {"name": "input-0", "shape": SHAPES[size], "datatype": "FP32", "parameters": parameters}
    head = json.dumps({"inputs": [shaped], "parameters": {"binary_data_output": True}}).encode()
    return Body(head + raw, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(head))})


SMALL = as_json("small")
