"""A file sent to `/v1/infer/file`, as an argument of the method: an image itself, all else as the path of a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any, Final

from modelwright.errors import InferenceError, InvalidInput, Unprocessable
from modelwright.styles.nos import images, multipart
from modelwright.styles.nos.hints import Kind
from modelwright.styles.nos.method import Method

# By the file's name, as NOS tells them.
_IMAGES: Final = frozenset({".jpg", ".jpeg", ".png"})
_OTHERS: Final = frozenset({".mp3", ".mp4", ".wav", ".flac", ".m4a", ".webm", ".avi", ".mov"})
# What NOS's own models call them.
_IMAGE, _PATH = "images", "path"


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that was read; `suffix` is the end of the file's name, in lower case."""

    model_id: str
    method: str | None
    content: bytes
    suffix: str

    @asynccontextmanager
    async def arguments(self, method: Method) -> AsyncIterator[dict[str, Any]]:
        """Give the method's arguments; a file of the content is there until the end of the block.

        Raises:
            InvalidInput: it is no image, or the method takes no file.
            InferenceError: there is no folder to write the file to.

        """
        if self.suffix in _IMAGES:
            name = method.named(_IMAGE)
            image = await asyncio.to_thread(images.from_bytes, self.content, name)
            hint = method.hint(name)
            yield {name: image if Kind.IMAGE in hint.single and Kind.IMAGE not in hint.listed else [image]}
            return
        name = method.named(_PATH)
        file = await asyncio.to_thread(_written, self.content, self.suffix)
        with file:
            yield {name: file.name}


def read(body: bytes, content_type: str) -> Upload:
    """Read the form of a request.

    Raises:
        InvalidInput: it is no form, has no file, an empty one, or one of a kind that is none of NOS's.
        Unprocessable: it names no model.

    """
    form = multipart.read(body, content_type)
    if "model_id" not in form:
        raise Unprocessable("the form has no field 'model_id'")
    file = form.get("file")
    if file is None and "url" in form:
        # What a caller names may be an address that only this server can reach.
        raise InvalidInput("'url' is not fetched here; send what it names as 'file'")
    if file is None:
        raise InvalidInput("the form has no 'file'; with curl: -F 'file=@image.png'")
    suffix = PurePath(file.filename or "").suffix.lower()
    if suffix not in _IMAGES | _OTHERS:
        known = ", ".join(sorted(_IMAGES | _OTHERS))
        raise InvalidInput(f"the file is named {file.filename!r}; its name must end with one of {known}")
    if not file.content:
        raise InvalidInput(f"the file {file.filename!r} is empty")
    method = form["method"].text if "method" in form and form["method"].content else None
    return Upload(form["model_id"].text, method, file.content, suffix)


def _written(content: bytes, suffix: str) -> IO[bytes]:
    from tempfile import NamedTemporaryFile  # noqa: PLC0415 - who uploads nothing does without

    try:
        file = NamedTemporaryFile(suffix=suffix)  # noqa: SIM115 - closed, and so removed, by who asked
        file.write(content)
        file.flush()
    except OSError as error:
        raise InferenceError(
            f"the file cannot be kept: {error.strerror or error}; give the server a folder for temporary files (TMPDIR)"
        ) from None
    return file
