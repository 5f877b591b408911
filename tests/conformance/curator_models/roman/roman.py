"""A model whose library only its own environment has."""

import numpy as np
import roman_numerals
from cosmos_curate.core.interfaces.model_interface import ModelInterface
from cosmos_curate.core.utils.model import model_utils


class Roman(ModelInterface):
    @property
    def conda_env_name(self) -> str:
        return "numerals"

    @property
    def model_id_names(self) -> list[str]:
        return ["acme/offset"]

    def setup(self) -> None:
        folder = model_utils.get_local_dir_for_weights_name("acme/offset")
        self.offset = int(np.load(folder / "offset.npy"))

    def generate(self, numbers: list[int]) -> list[str]:
        return [roman_numerals.RomanNumeral(number + self.offset).to_uppercase() for number in numbers]
