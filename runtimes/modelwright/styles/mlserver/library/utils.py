"""What authors use besides: where a model's files are, and headers."""

from __future__ import annotations

import asyncio
import os
import urllib.parse
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from modelwright.identities import random_uuid
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.errors import InvalidModelURI
from modelwright.styles.mlserver.library.settings import ModelSettings
from modelwright.styles.mlserver.library.types import InferenceRequest, InferenceResponse, Parameters


async def get_model_uri(settings: ModelSettings, wellknown_filenames: Sequence[str] = ()) -> str:
    """Return where a model's files are: `parameters.uri`, in its folder the first well-known name that is there.

    Raises:
        InvalidModelURI: there is no uri, or nothing is there.

    """
    uri: str | None = settings.parameters.uri if settings.parameters else None
    if not uri:
        raise InvalidModelURI(settings.name)
    parsed = urllib.parse.urlparse(uri, scheme="file")
    if parsed.scheme != "file":
        return uri
    path = Path(to_absolute_path(settings, parsed.path))
    found = _file_in(path, wellknown_filenames)
    if found is None:
        raise InvalidModelURI(settings.name, str(path))
    return str(found)


def _file_in(path: Path, names: Sequence[str]) -> Path | None:
    if path.is_dir():
        return next((path / name for name in names if (path / name).is_file()), path)
    return path if path.is_file() else None


def to_absolute_path(model_settings: ModelSettings, uri: str) -> str:
    """Return a path that is relative to the file of the model's settings as one that is not."""
    source = model_settings._source
    return uri if source is None else os.path.normpath(Path(source).parent / uri)


def get_wrapped_method(f: Foreign) -> Foreign:
    """Return what decorators wrapped."""
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    return f


def generate_uuid() -> str:
    """Return a request id."""
    return random_uuid()


def insert_headers(inference_request: InferenceRequest, headers: dict[str, str]) -> InferenceRequest:
    """Put headers where `predict` finds them."""
    if inference_request.parameters is None:
        inference_request.parameters = Parameters()
    inference_request.parameters.headers = headers
    return inference_request


def extract_headers(inference_response: InferenceResponse) -> dict[str, str] | None:
    """Take out the headers that `predict` wants sent."""
    parameters = inference_response.parameters
    if parameters is None or parameters.headers is None:
        return None
    headers: dict[str, str] = parameters.headers
    parameters.headers = None
    return headers


def schedule_with_callback(
    coro: Coroutine[Foreign, Foreign, Foreign], cb: Callable[[asyncio.Task[Foreign]], None]
) -> asyncio.Task[Foreign]:
    """Start a task, and call `cb` at its end."""
    task = asyncio.create_task(coro)
    task.add_done_callback(cb)
    return task
