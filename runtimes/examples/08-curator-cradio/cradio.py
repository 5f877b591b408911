"""An image encoder of C-RADIO's shape, as a NeMo Curator model: weights by name, one summary and features a patch."""

import numpy as np
import numpy.typing as npt

from nemo_curator.video.models import model_utils
from nemo_curator.video.utils import conda_utils

# Guarded as in Curator, where other actors import this file without what the model needs.
if conda_utils.is_running_in_env("video_splitting"):
    from vision import VisionTransformer

WEIGHTS_NAME = "nvidia/C-RADIO"


class CRadio(model_utils.ModelInterface):
    def __init__(self, resolution: str = "64") -> None:
        self.resolution = int(resolution)

    def setup(self) -> None:
        folder = model_utils.get_local_dir_for_weights_name(WEIGHTS_NAME)
        self.model = VisionTransformer(folder / "model.npz", self.resolution)

    @property
    def weights_names(self) -> list[str]:
        return [WEIGHTS_NAME]

    @property
    def id_file_mapping(self) -> dict[str, list[str] | None]:
        return {WEIGHTS_NAME: None}

    @property
    def conda_env_name(self) -> str:
        return "video_splitting"

    @property
    def num_gpus(self) -> float:
        return 0.0

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return self.model(images.astype(np.float32) / 255)
