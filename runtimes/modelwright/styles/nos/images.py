"""Images as text, as NOS has them on the wire: data URLs, and base64 alone where an image is meant."""

from __future__ import annotations

import base64
import binascii
from io import BytesIO
from typing import Any, Final

from modelwright.errors import InvalidInput

_URL: Final = "data:image/"
_MARK: Final = ";base64,"


def is_url(value: object) -> bool:
    """Tell whether a value is an image's data URL."""
    return isinstance(value, str) and value.lstrip()[: len(_URL)] == _URL


def from_text(text: str, name: str) -> Any:  # noqa: ANN401 - Pillow is optional
    """Give the RGB image of a data URL or of base64; raises InvalidInput naming the input."""
    if is_url(text):
        text = text.partition(_MARK)[2]
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"input {name!r} is no image: expected data:image/...;base64,... or base64") from None
    return from_bytes(data, name)


def from_bytes(data: bytes, name: str) -> Any:  # noqa: ANN401 - Pillow is optional
    """Give the RGB image in a file's bytes; raises InvalidInput naming the input."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only who takes images has it

    try:
        return Image.open(BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InvalidInput(f"input {name!r} is no image that can be read; send PNG or JPEG") from None


def from_array(array: Any, name: str) -> Any:  # noqa: ANN401 - Pillow is optional
    """Give the RGB image of an array [height, width, 3], or [height, width]; raises InvalidInput naming the input."""
    from PIL import Image  # noqa: PLC0415 - only who takes images has it

    if array.dtype != "uint8" or not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (3, 4))):
        raise InvalidInput(
            f"input {name!r} is no image: expected UINT8 [height, width, 3], not {array.dtype} {list(array.shape)}"
        )
    return Image.fromarray(array).convert("RGB")


def to_text(image: Any) -> str:  # noqa: ANN401 - Pillow is optional
    """Give the data URL of an image, a PNG."""
    written = BytesIO()
    image.save(written, format="PNG")
    return f"{_URL}png{_MARK}{base64.b64encode(written.getvalue()).decode('ascii')}"
