"""From a URI's scheme to its source."""

import os
from collections.abc import Mapping
from pathlib import Path

from modelwright.weights.errors import WeightsError
from modelwright.weights.source import Source

SCHEMES = ("s3", "gs", "https", "http", "hf", "file")

# ruff: noqa: PLC0415 - a scheme's client costs memory and start-up time only where its scheme is used.


def open_source(uri: str, env: Mapping[str, str], cache: Path) -> Source:
    """Return the source of `uri`. `cache` is a folder that a client may use. Raises `WeightsError`."""
    scheme = uri.partition("://")[0]
    match scheme:
        case "s3":
            from modelwright.weights import s3

            return s3.open_source(uri, env)
        case "gs":
            from modelwright.weights import gs

            return gs.open_source(uri, env)
        case "https" | "http":
            from modelwright.weights.https import HttpsSource

            return HttpsSource(uri, env)
        case "hf":
            # The client reads these when it is imported: any UID can write to `cache`, but not to a home.
            os.environ.update(HF_HOME=str(cache), HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_TELEMETRY="1")
            from modelwright.weights.hf import HubSource

            return HubSource(uri, env)
        case "file":
            from modelwright.weights.file import FileSource

            return FileSource(uri)
        case "pvc":
            remedy = "It needs no download: the operator mounts the claim at /mnt/models."
        case _:
            remedy = f"Use one of {', '.join(f'{known}://' for known in SCHEMES)}."
    raise WeightsError(uri, f"{scheme!r} is not a scheme that can be fetched", remedy)
