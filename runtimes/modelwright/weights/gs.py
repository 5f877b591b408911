"""gs://bucket/key, with a service account's key file, the node's identity, or neither for public buckets."""

import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obstore.store import GCSStore

from modelwright.weights.objects import ObjectSource, split

log = logging.getLogger("modelwright.weights")

_METADATA_HOST = "metadata.google.internal"


def config(env: Mapping[str, str], *, has_metadata: bool) -> dict[str, Any]:
    """Return obstore's settings for the environment.

    The operator names the key file whether or not the Secret has it, for it cannot look: where the file is
    missing the node's identity is next, then none. `STORAGE_EMULATOR_HOST` is what Google's own clients read
    for another endpoint.
    """
    options: dict[str, Any] = {}
    if emulator := env.get("STORAGE_EMULATOR_HOST", "").rstrip("/"):
        options["base_url"] = emulator if "://" in emulator else f"http://{emulator}"
    key_file = env.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if key_file and Path(key_file).is_file():
        options["application_credentials"] = key_file
    elif not has_metadata:
        options["skip_signature"] = True
    return options


def open_source(uri: str, env: Mapping[str, str]) -> ObjectSource:
    """Return the source behind a `gs://` URI. Raises `WeightsError`."""
    bucket, key = split(uri)
    if (key_file := env.get("GOOGLE_APPLICATION_CREDENTIALS")) and not Path(key_file).is_file():
        log.warning("%s (GOOGLE_APPLICATION_CREDENTIALS) is not there: going on without it", key_file)
    options = config(env, has_metadata=_has_metadata(env))
    client = {
        "connect_timeout": "15s",
        "read_timeout": "30s",
        "timeout": "1h",
        "allow_http": options.get("base_url", "").startswith("http://"),
    }
    store = GCSStore(bucket, client_options=client, retry_config={"max_retries": 2}, **options)  # type: ignore[arg-type]
    return ObjectSource(uri, store, key, workers=4, attempts=3)


def _has_metadata(env: Mapping[str, str]) -> bool:
    """Say whether this is a Google node: only there does the metadata server's name have an address."""
    if env.get("STORAGE_EMULATOR_HOST"):
        return False
    try:
        socket.getaddrinfo(_METADATA_HOST, 80)
    except OSError:
        return False
    return True
