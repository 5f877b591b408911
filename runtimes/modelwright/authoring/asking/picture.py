"""An image file as a request: base64 for V1, its bytes for V2, or its pixels in the shape that a model declares."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.tensors import NUMPY_TYPES, Array, InferenceRequest, Tensor

Form = Literal["v1-b64", "bytes", "pixels"]
_MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_CHANNELS: Final = {1: "L", 3: "RGB", 4: "RGBA"}
_FLOATS: Final = ("FP16", "FP32", "FP64", "BF16")


def is_picture(content: bytes) -> bool:
    """Tell a PNG or a JPEG by how it begins."""
    return content.startswith(_MAGIC)


def in_v1(content: bytes, key: str | None) -> dict[str, Any]:
    """Give `{"instances": [{"image": {"b64": ...}}]}`, as TensorFlow Serving and KServe's examples have it."""
    return {"instances": [{key or "image": {"b64": base64.b64encode(content).decode()}}]}


def form(declared: TensorMetadata) -> Form:
    """Choose how a declared input wants an image."""
    return "bytes" if declared.datatype == "BYTES" else "pixels"


def chosen(described: ModelMetadata, name: str | None) -> TensorMetadata:
    """Give the input that takes the image: the one that was named, or the only one; raises Mistake."""
    inputs = described.inputs
    names = ", ".join(each.name for each in inputs) or "none"
    if name is not None and not inputs:
        return TensorMetadata(name, "BYTES", (1,))
    found = [each for each in inputs if name in (None, each.name)]
    if len(found) != 1:
        raise Mistake(f"name the input that takes the image with --input; the model declares: {names}")
    return found[0]


def in_v2(content: bytes, declared: TensorMetadata, wanted: Form, source: str) -> InferenceRequest:
    """Give a request with the image as one tensor; raises Mistake where the declared shape is none of an image."""
    if wanted == "bytes":
        data: Array = np.empty(1, dtype=object)
        data[0] = content
        # [-1, 1] is as good a shape for one of them as [-1].
        shape = tuple(1 for _ in declared.shape) or (1,)
        return InferenceRequest("", [Tensor(declared.name, "BYTES", shape, data.reshape(shape))])
    pixels = _pixels(content, declared, source)
    return InferenceRequest("", [Tensor(declared.name, declared.datatype, pixels.shape, pixels)])


def _pixels(content: bytes, declared: TensorMetadata, source: str) -> Array:
    """Resize to the lengths that are fixed; whole numbers are 0 to 255, floats 0 to 1."""
    lengths = declared.shape[1:] if len(declared.shape) == 4 else declared.shape
    first = len(lengths) == 3 and lengths[0] in _CHANNELS
    if len(lengths) != 3 or not (first or lengths[2] in _CHANNELS) or declared.datatype not in NUMPY_TYPES:
        raise Mistake(
            f"input {declared.name!r} is {declared.datatype} of shape {list(declared.shape)}, which is no image's: "
            "expected [batch,] channels, height, width or [batch,] height, width, channels with 1, 3 or 4 channels"
        )
    mode = _CHANNELS[lengths[0] if first else lengths[2]]
    array = _read(content, mode, lengths[1:] if first else lengths[:2], source)
    if first:
        array = array.transpose(2, 0, 1)
    scaled = array.astype(np.float64) / 255 if declared.datatype in _FLOATS else array
    exact = np.ascontiguousarray(scaled, dtype=NUMPY_TYPES[declared.datatype])
    return exact[np.newaxis] if len(declared.shape) == 4 else exact


def _read(content: bytes, mode: str, size: Sequence[int], source: str) -> Array:
    try:
        from PIL import Image  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only pixels need it
    except ImportError:
        raise Mistake(
            "reading an image's pixels takes Pillow: pip install pillow, or send its bytes with --as bytes"
        ) from None
    try:
        picture = Image.open(io.BytesIO(content)).convert(mode)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Mistake(f"{source} cannot be read as an image: {error}") from None
    height, width = (wanted if wanted > 0 else own for wanted, own in zip(size, reversed(picture.size), strict=True))
    resized = picture.resize((width, height)) if picture.size != (width, height) else picture
    array: Array = np.asarray(resized)
    return array[..., np.newaxis] if array.ndim == 2 else array


def content_of(path: Path) -> bytes:
    """Read a file; raises Mistake."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Mistake(f"{path}: {error.strerror}") from None
