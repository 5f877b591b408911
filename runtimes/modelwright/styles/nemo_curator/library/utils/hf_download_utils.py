"""Fetching from Hugging Face, for a class's own `download_weights_on_node`.

Source: https://docs.nvidia.com/nemo/curator, nemo_curator.utils.hf_download_utils.
"""

from __future__ import annotations

from pathlib import Path

from modelwright.styles.nemo_curator.fetching import download


def download_model_from_hf(
    model_id: str,
    local_dir: str | Path,
    ignore_patterns: list[str] | None = None,
    filename: str | None = None,
    revision: str | None = None,
) -> None:
    """Fetch a repository, or one file of it, into `local_dir`.

    Raises:
        ValueError: both `filename` and `ignore_patterns` were given.
        FetchFailed: the hub has no such repository or file, or cannot be reached.

    """
    if filename and ignore_patterns:
        raise ValueError("filename and ignore_patterns are not for one call: give one of them")
    uri = f"hf://{model_id}:{revision}" if revision else f"hf://{model_id}"
    download(uri, Path(local_dir), only=[filename] if filename else (), without=ignore_patterns or ())
