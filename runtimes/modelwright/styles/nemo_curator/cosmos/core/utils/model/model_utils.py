"""Where weights are, and the device that cosmos-curate's models name.

Source: https://github.com/nvidia-cosmos/cosmos-curate, cosmos_curate/core/utils/model/model_utils.py.
"""

from __future__ import annotations

from typing import Final

from modelwright.styles.nemo_curator.place import folder as get_local_dir_for_weights_name

__all__ = ["CUDA_DEVICE", "get_local_dir_for_weights_name"]

CUDA_DEVICE: Final = "cuda:0"
