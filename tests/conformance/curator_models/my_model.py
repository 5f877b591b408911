"""A first-generation model as Curator's tutorial has authors write it, its guard for another environment included."""

from typing import Optional, Union

import numpy as np
import numpy.typing as npt
import torch
from loguru import logger  # noqa: F401
from nemo_curator.video.models import model_utils
from nemo_curator.video.utils import conda_utils

if conda_utils.is_running_in_env("my_env"):
    from transformers import AutoModel

WEIGHTS_NAME = "nvidia/C-RADIO"


class CRadioCore(torch.nn.Module):
    def __init__(self, max_width: int, max_height: Optional[int]):  # noqa: UP045
        super().__init__()
        self.max_width, self.max_height = max_width, max_height
        weight_file = model_utils.get_local_dir_for_weights_name(WEIGHTS_NAME)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.cradio = AutoModel.from_pretrained(weight_file, trust_remote_code=True).to(self.device)
        self.dtype = torch.float32

    @torch.no_grad()
    def __call__(self, images: Union[torch.Tensor, npt.NDArray[np.uint8]]) -> torch.Tensor:  # noqa: UP007
        inputs = images.to(self.dtype).to(self.device) / 255
        embed, _ = self.cradio(inputs)
        return embed


class CRadio(model_utils.ModelInterface):
    def __init__(self, resolution: str = "256") -> None:
        self.resolution = resolution

    def setup(self) -> None:
        self.model = CRadioCore(int(self.resolution), None)
        self.model.eval()

    @property
    def weights_names(self) -> list[str]:
        return [WEIGHTS_NAME]

    @property
    def id_file_mapping(self) -> dict[str, list[str]]:
        return {WEIGHTS_NAME: None}

    @property
    def conda_env_name(self) -> str:
        return "video_splitting"

    @property
    def num_gpus(self) -> float:
        return 1.0

    def __call__(self, images: Union[torch.Tensor, npt.NDArray[np.uint8]]) -> torch.Tensor:  # noqa: UP007
        return self.model(images)
