"""An author's folders, and models of theirs loaded as the server loads them."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from modelwright.model import Model
from modelwright.styles import substitutes
from modelwright.styles.catalogue import Discovered, Wanted
from modelwright.styles.mlserver.discover import discover
from modelwright.tensors import InferenceRequest, Tensor

HEAD = """
import asyncio
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec, decode_args
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput
"""


class Inline:
    """An Execution that runs code at once, and remembers what it ran."""

    def __init__(self) -> None:
        self.ran: list[object] = []

    async def call(self, function: Callable[..., object], *arguments: object) -> object:
        self.ran.append(function)
        return function(*arguments)


@contextmanager
def imports() -> Iterator[None]:
    """Let authors' modules be imported, and forget them."""
    path, hooks, before = [*sys.path], [*sys.meta_path], set(sys.modules)
    substitutes.install()
    try:
        yield
    finally:
        sys.path[:], sys.meta_path[:] = path, hooks
        for name in set(sys.modules) - before:
            if not name.startswith("modelwright"):
                del sys.modules[name]


def write(folder: Path, source: str, settings: dict | None = None, file: str = "models.py") -> Path:
    """Write a model's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(HEAD + textwrap.dedent(source))
    if settings is not None:
        (folder / "model-settings.json").write_text(json.dumps(settings))
    return folder


def found(path: Path, class_name: str | None = None, model_name: str | None = None) -> Discovered:
    return discover(Wanted(path, class_name, model_name))


def loaded(folder: Path, source: str, **settings: object) -> Model:
    """Return the class M of a source, loaded."""
    write(folder, source, {"name": "m", "implementation": "models.M", **settings})
    (model,) = found(folder).models
    model.bind(Inline())
    run(model.load())
    return model


def run(work: Awaitable):
    async def awaited():
        return await work

    return asyncio.run(awaited())


def request(*tensors: Tensor, rest: bool = True, **more: object) -> InferenceRequest:
    return InferenceRequest("m", list(tensors), headers={"host": "here"} if rest else {}, **more)


def numbers(name: str, values: Sequence, datatype: str = "FP32") -> Tensor:
    array = np.array(values, {"FP32": np.float32, "INT64": np.int64, "FP64": np.float64}[datatype])
    return Tensor(name, datatype, array.shape, array)


def text(name: str, *values: str | bytes) -> Tensor:
    array = np.empty(len(values), object)
    array[:] = [each if isinstance(each, bytes) else each.encode() for each in values]
    return Tensor(name, "BYTES", array.shape, array)
