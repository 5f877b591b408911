"""Which pixi environment this is: the name that `conda_utils` has in later versions."""

from __future__ import annotations

from modelwright.styles.nemo_curator.environment import current as get_env_name
from modelwright.styles.nemo_curator.environment import is_running_in_env

__all__ = ["get_env_name", "is_running_in_env"]
