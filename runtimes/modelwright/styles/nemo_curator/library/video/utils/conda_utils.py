"""Which conda environment this is."""

from __future__ import annotations

from modelwright.styles.nemo_curator.environment import is_running_in_env

__all__ = ["is_running_in_env"]
