"""Which conda environment this is.

Source: https://github.com/nvidia-cosmos/cosmos-curate, cosmos_curate/core/utils/model/conda_utils.py.
"""

from __future__ import annotations

from modelwright.styles.nemo_curator.environment import current as get_conda_env_name
from modelwright.styles.nemo_curator.environment import is_running_in_env

__all__ = ["get_conda_env_name", "is_running_in_env"]
